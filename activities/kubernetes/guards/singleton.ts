import type { V1Deployment } from '@kubernetes/client-node';
import { CiliateError } from '../../../domain/failures.js';
import { entryKey } from '../../../domain/ledger.js';
import type { GuardEntry, GuardNow } from '../../../domain/ledger.js';
import { fullName } from '../../../domain/kubernetes/resources.js';
import type { NodeRef } from '../../../domain/plan.js';
import { isNotFound, orUndefined } from '../../clients/errors.js';
import type { Clients } from '../../clients/index.js';
import type { Guard } from '../guard.js';
import { setBy } from '../managedFields.js';
import { patchScale } from '../patch.js';

/** A Deployment's replicas, 2 instead of 1 while its only pod moves. Its id is the Node's UID and the Deployment's. */
export const singletonGuard: Guard = {
  kind: 'singleton',
  async read(clients, entries) {
    const found = await Promise.all(entries.map(async (entry) => [entryKey(entry), await readFor(clients, entry)] as const));
    return new Map(found.flatMap(([key, deployment]) => (deployment === undefined ? [] : [[key, nowOf(deployment)] as const])));
  },
  async write(clients, entry, to) {
    const deployment = await readFor(clients, entry);
    const now = deployment === undefined ? undefined : nowOf(deployment).value;
    if (deployment === undefined || now === to || to === null) return;
    if (now !== (to === entry.ours ? entry.prior : entry.ours)) {
      throw new CiliateError('Transient', { object: entry.object, expected: 'it as it was read', seen: now ?? 'absent', todo: 'It is read and decided again.' }, { code: 'Conflict' });
    }
    const { namespace = '', name = '', uid } = deployment.metadata ?? {};
    try {
      await patchScale(clients, { namespace, name }, [
        { op: 'test', path: '/metadata/uid', value: uid },
        { op: 'test', path: '/spec/replicas', value: Number(now) },
        { op: 'replace', path: '/spec/replicas', value: Number(to) },
      ]);
    } catch (error) {
      // Gone meanwhile: there is nothing left to change.
      if (!isNotFound(error)) throw error;
    }
  },
};

/** The entry that scaling it up for this node writes, and how it stands. */
export function singletonEntry(deployment: V1Deployment, node: NodeRef): { now: GuardNow; entry: GuardEntry } {
  const now = nowOf(deployment);
  const name = fullName(deployment.metadata);
  const id = singletonId(node.uid, deployment.metadata?.uid ?? '');
  return { now, entry: { kind: 'singleton', set: 'node', object: `Deployment ${name}: replicas`, id, name, prior: now.value, ours: '2', at: new Date().toISOString() } };
}

export function singletonId(nodeUid: string, deploymentUid: string): string {
  return `${nodeUid}/${deploymentUid}`;
}

function nowOf(deployment: V1Deployment): GuardNow {
  return { value: String(deployment.spec?.replicas ?? 1), setBy: setBy(deployment.metadata?.managedFields, ['spec', 'replicas']) };
}

async function readFor(clients: Clients, entry: GuardEntry): Promise<V1Deployment | undefined> {
  const [namespace = '', name = ''] = entry.name.split('/');
  const deployment = await orUndefined(clients.kube.apps.readNamespacedDeployment({ namespace, name }));
  return entry.id.endsWith(`/${deployment?.metadata?.uid}`) ? deployment : undefined;
}
