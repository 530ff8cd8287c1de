import { createHash } from 'node:crypto';
import type { V1Secret } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { CILIUM_RELEASE, FIELD_MANAGER, KUBE_SYSTEM, MANAGED_BY, MANAGED_BY_LABEL, MESH_CA } from '../../domain/names.js';
import { isConflict, isNotFound, orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { readCniLedger, recordMesh } from '../kubernetes/cniLedger.js';

const CILIUM_CA = 'cilium-ca';
const CRT = 'ca.crt';
const KEY = 'ca.key';

export function readSecret(clients: Clients, name: string): Promise<V1Secret | undefined> {
  return orUndefined(clients.kube.core.readNamespacedSecret({ namespace: KUBE_SYSTEM, name }));
}

/** The CA's certificate as PEM; undefined where there is none. */
export async function readCa(clients: Clients): Promise<string | undefined> {
  const crt = (await readSecret(clients, CILIUM_CA))?.data?.[CRT];
  return crt === undefined ? undefined : Buffer.from(crt, 'base64').toString('utf8');
}

/** sha256 of a certificate's text, in hex. */
export function digestOf(pem: string): string {
  return createHash('sha256').update(pem).digest('hex');
}

/** Makes the CA of a cluster that of another. Without it each would refuse the other's certificates. */
export async function shareCa(clients: Clients, source: Clients, mesh: string): Promise<{ change: 'none' | 'created' | 'replaced' }> {
  const wanted = keyPair(await readSecret(source, CILIUM_CA));
  const own = await readSecret(clients, CILIUM_CA);
  if (own?.data?.[CRT] === wanted[CRT] && own?.data[KEY] === wanted[KEY]) return { change: 'none' };
  if (own === undefined) {
    await create(clients, ownedByHelm(wanted));
    return { change: 'created' };
  }
  await keep(clients, own, mesh);
  await clients.kube.core.replaceNamespacedSecret({ namespace: KUBE_SYSTEM, name: CILIUM_CA, body: { ...own, data: { ...own.data, ...wanted } }, fieldManager: FIELD_MANAGER });
  return { change: 'replaced' };
}

/** Puts the CA of before back; nothing where none was kept. */
export async function restoreCa(clients: Clients): Promise<void> {
  const kept = await readSecret(clients, MESH_CA);
  const own = await readSecret(clients, CILIUM_CA);
  if (kept?.data === undefined || own === undefined) return;
  const before = keyPair(kept);
  if (own.data?.[CRT] === before[CRT]) return;
  await clients.kube.core.replaceNamespacedSecret({ namespace: KUBE_SYSTEM, name: CILIUM_CA, body: { ...own, data: { ...own.data, ...before } }, fieldManager: FIELD_MANAGER });
}

export async function forgetCa(clients: Clients): Promise<void> {
  try {
    await clients.kube.core.deleteNamespacedSecret({ namespace: KUBE_SYSTEM, name: MESH_CA });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The original, once: what is kept is never overwritten. A Secret, because it holds a key; the ledger only says that it is there. */
async function keep(clients: Clients, own: V1Secret, mesh: string): Promise<void> {
  await create(clients, {
    metadata: { name: MESH_CA, namespace: KUBE_SYSTEM, labels: { [MANAGED_BY_LABEL]: MANAGED_BY } },
    data: keyPair(own),
  });
  const { mesh: entry } = await readCniLedger(clients);
  await recordMesh(clients, { mesh, leaves: entry?.leaves ?? [], caReplaced: true });
}

async function create(clients: Clients, body: V1Secret): Promise<void> {
  try {
    await clients.kube.core.createNamespacedSecret({ namespace: KUBE_SYSTEM, body, fieldManager: FIELD_MANAGER });
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

/** Helm adopts an object only that says it is its own. */
function ownedByHelm(data: Record<string, string>): V1Secret {
  const annotations = { 'meta.helm.sh/release-name': CILIUM_RELEASE, 'meta.helm.sh/release-namespace': KUBE_SYSTEM };
  return { metadata: { name: CILIUM_CA, namespace: KUBE_SYSTEM, labels: { [MANAGED_BY_LABEL]: 'Helm' }, annotations }, data };
}

function keyPair(secret: V1Secret | undefined): Record<typeof CRT | typeof KEY, string> {
  const crt = secret?.data?.[CRT];
  const key = secret?.data?.[KEY];
  if (crt !== undefined && key !== undefined) return { [CRT]: crt, [KEY]: key };
  throw new CiliateError(
    'Permanent',
    { object: `Secret ${KUBE_SYSTEM}/${secret?.metadata?.name ?? CILIUM_CA}`, expected: `${CRT} and ${KEY}`, seen: secret === undefined ? 'no such Secret' : `only ${Object.keys(secret.data ?? {}).join(', ') || 'nothing'}`, todo: 'The CA of the first cluster must be there with its key: it signs the certificates of all.' },
    { code: 'CaIncomplete' },
  );
}
