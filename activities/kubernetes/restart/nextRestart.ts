import type { V1Pod } from '@kubernetes/client-node';
import { MIRROR_ANNOTATION } from '../../../domain/kubernetes/drain.js';
import { controllerOf, fullName } from '../../../domain/kubernetes/resources.js';
import type { Meta } from '../../../domain/kubernetes/resources.js';
import { BARE, isLeftAlone, restartName, restartOrder, rootOf } from '../../../domain/kubernetes/restartOwner.js';
import type { RestartOwner } from '../../../domain/kubernetes/restartOwner.js';
import type { DrainSpec } from '../../../domain/spec/schema.js';
import type { NextRestart } from '../../api.js';
import type { Clients } from '../../clients/index.js';
import { readAgents, replicaSetParents } from '../lists.js';
import { unmanagedPods } from '../unmanagedPods.js';

/** Names of bare pods in the answer; the rest is counted. */
const NAMED = 20;

/** A pod without a CiliumEndpoint: no more of it than tells who makes it. */
interface Candidate {
  meta: Meta;
  mirror: boolean;
}

export interface NextRestartInput {
  /** `Kind namespace/name` of owners that are left as they are. */
  left: readonly string[];
  barePods: DrainSpec['barePods'];
}

/** The owner whose pods are restarted next, and how much there is left. Reads only. */
export async function nextRestart(clients: Clients, { left, barePods }: NextRestartInput): Promise<NextRestart> {
  const candidates = await unmanagedPods(clients, await readAgents(clients), candidateOf);
  const throughReplicaSet = candidates.some(({ meta }) => controllerOf(meta)?.kind === 'ReplicaSet');
  const parents = throughReplicaSet ? await replicaSetParents(clients) : new Map<string, never>();
  const passed = new Set(left);
  const owners = new Map<string, RestartOwner>();
  const bare: string[] = [];
  let pods = 0;
  for (const { meta, mirror } of candidates) {
    const owner = rootOf(meta, parents);
    const name = restartName(owner);
    if (isLeftAlone({ meta, mirror }, barePods) || (owner.kind === BARE && passed.has(name))) bare.push(fullName(meta));
    else if (!passed.has(name)) {
      owners.set(name, owner);
      pods++;
    }
  }
  const [owner = null] = restartOrder([...owners.values()]);
  return { owner, waiting: owners.size, pods, bare: bare.sort().slice(0, NAMED), bareCount: bare.length };
}

function candidateOf({ metadata }: V1Pod): Candidate {
  const { namespace, name, annotations, ownerReferences } = metadata ?? {};
  return { meta: { namespace, name, ownerReferences }, mirror: annotations?.[MIRROR_ANNOTATION] !== undefined };
}
