import { AutoscalingV2Api } from '@kubernetes/client-node';
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import type { GuardEntry } from '../../domain/ledger.js';
import { matchesSelector } from '../../domain/kubernetes/labelSelector.js';
import { fullName } from '../../domain/kubernetes/resources.js';
import { singletonVerdict } from '../../domain/kubernetes/singleton.js';
import type { NodeRef } from '../../domain/plan.js';
import type { Blocker } from '../../domain/refresh.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { giveBack, hold } from './guard.js';
import { readGuards, readNodeGuards } from './guardsLedger.js';
import { singletonEntry, singletonGuard, singletonId } from './guards/singleton.js';
import { ownerOf } from './owner.js';
import { readyElsewhere } from './readyElsewhere.js';

/** What to do before a pod is evicted under drain.surgeSingletons: nothing, wait, or only say why not. */
export interface Surge {
  wait?: Blocker;
  note?: string;
}

/** Scales a Deployment of one replica up before its pod here is evicted, and waits for the other to be Ready elsewhere. */
export async function surgeBefore(clients: Clients, ref: NodeRef, pod: V1Pod): Promise<Surge> {
  const owner = await ownerOf(clients, pod);
  const namespace = pod.metadata?.namespace ?? '';
  if (owner?.kind !== 'Deployment') return {};
  const deployment = await orUndefined(clients.kube.apps.readNamespacedDeployment({ namespace, name: owner.name }));
  if (deployment === undefined) return {};
  const object = `Deployment ${fullName(deployment.metadata)}`;
  const verdict = singletonVerdict(await see(clients, ref, { deployment, pod }), Date.now());
  switch (verdict.act) {
    case 'evict':
      return verdict.note === undefined ? {} : { note: `${object} ${verdict.note}` };
    case 'surge': {
      await hold(clients, [{ guard: singletonGuard, ...singletonEntry(deployment, ref) }]);
      return { wait: waits(pod, object, 'it is scaled to 2, and the new replica is not Ready yet') };
    }
    case 'wait':
      return { wait: waits(pod, object, verdict.reason) };
  }
}

function waits(pod: V1Pod, object: string, reason: string): Blocker {
  const namespace = pod.metadata?.namespace ?? '';
  return { object: `Pod ${fullName(pod.metadata)}`, reason: `${object} has one replica: ${reason}`, todo: `It is awaited: kubectl -n ${namespace} get pods` };
}

async function see(clients: Clients, ref: NodeRef, { deployment, pod }: { deployment: V1Deployment; pod: V1Pod }): Promise<Parameters<typeof singletonVerdict>[0]> {
  const uid = deployment.metadata?.uid ?? '';
  const entries = Object.values(await readGuards(clients)).filter((entry) => entry.kind === 'singleton' && entry.id.endsWith(`/${uid}`));
  const ours = entries.find((entry) => entry.id === singletonId(ref.uid, uid));
  const replicas = deployment.spec?.replicas ?? 1;
  return {
    replicas,
    surgedAt: ours?.at,
    surgedByOthers: entries.length > 0 && ours === undefined,
    autoscaler: replicas === 1 && ours === undefined ? await autoscalerOf(clients, deployment) : undefined,
    claims: (pod.spec?.volumes ?? []).some((volume) => volume.persistentVolumeClaim !== undefined),
    readyElsewhere: ours !== undefined && replicas > 1 ? await readyElsewhere(clients, ref.name, { namespace: deployment.metadata?.namespace ?? '', selector: deployment.spec?.selector }) : 0,
  };
}

async function autoscalerOf({ kube }: Clients, { metadata }: V1Deployment): Promise<string | undefined> {
  const { items } = await kube.make(AutoscalingV2Api).listNamespacedHorizontalPodAutoscaler({ namespace: metadata?.namespace ?? '' });
  return items.find(({ spec }) => spec?.scaleTargetRef.kind === 'Deployment' && spec.scaleTargetRef.name === metadata?.name)?.metadata?.name;
}

/** Gives back what was scaled up for this node and has no pod here any more. Returns what was no longer ours, one line each. */
export async function surgeAfter(clients: Clients, ref: NodeRef, staying: V1Pod[]): Promise<string[]> {
  const entries = (await readNodeGuards(clients, ref.uid)).filter((entry) => entry.kind === 'singleton');
  const over: GuardEntry[] = [];
  for (const entry of entries) if (!(await hasPod(clients, entry, staying))) over.push(entry);
  return (await giveBack(clients, singletonGuard, over)).left;
}

async function hasPod(clients: Clients, entry: GuardEntry, pods: V1Pod[]): Promise<boolean> {
  const [namespace = '', name = ''] = entry.name.split('/');
  const deployment = await orUndefined(clients.kube.apps.readNamespacedDeployment({ namespace, name }));
  return pods.some((pod) => pod.metadata?.namespace === namespace && matchesSelector(deployment?.spec?.selector, pod.metadata.labels ?? {}));
}
