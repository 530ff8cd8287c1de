import type { Blocker, WorkloadReady } from '../../domain/refresh.js';
import type { Activities } from '../api.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { clientsOf } from './deps.js';
import type { RefreshDeps } from './deps.js';

interface Scaled {
  wanted: number;
  ready: number;
}

/** Every workload has as many ready replicas as before the drain, or as it wants now where it was scaled down meanwhile. */
export function lookWorkloads(deps: RefreshDeps): Activities['lookWorkloads'] {
  return async ({ target, workloads, known }) => {
    const clients = await clientsOf(deps, target);
    const checked = await Promise.all(workloads.map((workload) => behind(clients, workload)));
    const blockers = checked.flatMap((blocker) => (blocker ? [blocker] : []));
    return look({ known, done: blockers.length === 0, blockers, seenOf: blockers.map((blocker) => blocker.object), extra: {} });
  };
}

async function behind(clients: Clients, workload: WorkloadReady): Promise<Blocker | null> {
  const now = await scaled(clients, workload);
  // Deleted meanwhile, or of a kind that has no ready replicas to count (a Job).
  if (!now) return null;
  const needed = Math.min(workload.ready, now.wanted);
  if (now.ready >= needed) return null;
  const { kind, namespace, name } = workload;
  return { object: `${kind} ${namespace}/${name}`, reason: `${now.ready} ready, had ${workload.ready}`, todo: `kubectl -n ${namespace} get pods -o wide` };
}

async function scaled(clients: Clients, { kind, namespace, name }: WorkloadReady): Promise<Scaled | undefined> {
  const object = await orUndefined(read(clients, kind, { namespace, name }));
  return object ? { wanted: object.spec?.replicas ?? 1, ready: object.status?.readyReplicas ?? 0 } : undefined;
}

type Replicated = { spec?: { replicas?: number }; status?: { readyReplicas?: number } } | undefined;

function read(clients: Clients, kind: string, at: { namespace: string; name: string }): Promise<Replicated> {
  const { apps, core } = clients.kube;
  switch (kind) {
    case 'Deployment':
      return apps.readNamespacedDeployment(at);
    case 'StatefulSet':
      return apps.readNamespacedStatefulSet(at);
    case 'ReplicaSet':
      return apps.readNamespacedReplicaSet(at);
    case 'ReplicationController':
      return core.readNamespacedReplicationController(at);
    default:
      return Promise.resolve(undefined);
  }
}
