import { KARPENTER_GROUP, NODEPOOL_LABEL } from '../../domain/kubernetes/karpenter.js';
import { isConflict, isNotFound, orUndefined } from '../clients/errors.js';
import type { KubeClients } from '../clients/index.js';
import { mapCustomPages } from '../clients/pages.js';

/** Whoever talks to the API server: observations have no more. */
type Kube = Pick<KubeClients, 'custom'>;

const API = { group: KARPENTER_GROUP, version: 'v1' } as const;

interface Meta {
  name: string;
  uid: string;
  labels?: Record<string, string>;
  creationTimestamp: string;
  deletionTimestamp?: string;
  managedFields?: { manager?: string; fieldsV1?: object }[];
}

interface Taint {
  key: string;
  value?: string;
  effect: string;
}

/** One node of Karpenter: asked for, launched, registered, initialized. */
export interface NodeClaim {
  metadata: Meta;
  status?: { nodeName?: string; providerID?: string; conditions?: { type: string; status: string; reason?: string; message?: string }[] };
}

export interface NodePool {
  metadata: Meta;
  spec: {
    disruption?: { budgets?: unknown[] };
    template: {
      metadata?: { labels?: Record<string, string> };
      spec: { nodeClassRef?: { group?: string }; taints?: Taint[]; startupTaints?: Taint[]; expireAfter?: string };
    };
  };
}

/** Of one NodePool, or of all; none where Karpenter's API v1 is not there. */
export function listNodeClaims(kube: Kube, nodePool?: string): Promise<NodeClaim[]> {
  return list<NodeClaim>(kube, 'nodeclaims', nodePool === undefined ? undefined : `${NODEPOOL_LABEL}=${nodePool}`);
}

/** Those of EKS Auto Mode are EKS's, and left out. */
export async function listNodePools(kube: Kube): Promise<NodePool[]> {
  return (await list<NodePool>(kube, 'nodepools')).filter(({ spec }) => spec.template.spec.nodeClassRef?.group !== 'eks.amazonaws.com');
}

export async function readNodePool(kube: Kube, name: string): Promise<NodePool | undefined> {
  return (await orUndefined(kube.custom.getClusterCustomObject({ ...API, plural: 'nodepools', name }))) as NodePool | undefined;
}

/** Karpenter's finalizer does the rest: drains what is left, terminates the instance, lets Node and NodeClaim go. */
export async function deleteNodeClaim(kube: Kube, { name, uid }: Meta): Promise<void> {
  try {
    await kube.custom.deleteClusterCustomObject({ ...API, plural: 'nodeclaims', name, body: { preconditions: { uid } } });
  } catch (error) {
    // A conflict: another NodeClaim has that name by now.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/** `i-…` of status.providerID; undefined until it is launched. */
export function instanceOf(claim: NodeClaim): string | undefined {
  return /\/(i-[0-9a-f]+)$/.exec(claim.status?.providerID ?? '')?.[1];
}

function list<T>(kube: Kube, plural: string, labelSelector?: string): Promise<T[]> {
  return mapCustomPages<T, T>((page) => kube.custom.listClusterCustomObject({ ...API, plural, labelSelector, ...page }), (item) => item);
}
