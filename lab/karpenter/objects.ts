import { createHash, randomBytes } from 'node:crypto';
import type { KubeObject } from '../cluster/client.js';
import type { Condition, Node, Taint } from '../glue/types.js';

export const api = '/apis/karpenter.sh/v1';
/** On Nodes and NodeClaims: nothing goes before the instance has gone. */
export const finalizer = 'karpenter.sh/termination';
export const poolLabel = 'karpenter.sh/nodepool';
export const hashAnnotation = 'karpenter.sh/nodepool-hash';
export const unregistered = 'karpenter.sh/unregistered';
export const disrupted = 'karpenter.sh/disrupted';

export interface NodePool extends KubeObject {
  spec: {
    disruption?: { budgets?: { nodes: string; schedule?: string; reasons?: string[] }[] };
    template: { metadata?: { labels?: Record<string, string> }; spec: { taints?: Taint[]; startupTaints?: Taint[] } };
  };
}

export interface NodeClaim extends KubeObject {
  spec: { zone: string };
  status?: { providerID?: string; nodeName?: string; conditions?: Condition[] };
}

/** The NodePool that every lab with Karpenter begins with. */
export function defaultPool(): KubeObject & { spec: unknown } {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: 'default' },
    spec: {
      template: {
        metadata: { labels: { team: 'platform' } },
        spec: {
          nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
          expireAfter: '720h',
        },
      },
    },
  };
}

export function newClaim(pool: NodePool, zone: string): NodeClaim {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: {
      name: `${pool.metadata.name}-${randomBytes(4).toString('hex')}`,
      labels: { [poolLabel]: pool.metadata.name, ...pool.spec.template.metadata?.labels },
      annotations: { [hashAnnotation]: templateHash(pool) },
      ownerReferences: [{ apiVersion: 'karpenter.sh/v1', kind: 'NodePool', name: pool.metadata.name, uid: pool.metadata.uid ?? '' }],
      finalizers: [finalizer],
    },
    spec: { zone },
  };
}

/** Of the template only: spec.disruption, limits and weight are no part of it, so they drift nothing. */
export function templateHash(pool: NodePool): string {
  return createHash('sha256').update(JSON.stringify(pool.spec.template)).digest('hex').slice(0, 16);
}

/** Labels that a new node of the pool will have, as far as scheduling asks. */
export function poolLabels(pool: NodePool): Record<string, string> {
  return { [poolLabel]: pool.metadata.name, 'karpenter.sh/capacity-type': 'on-demand', 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', ...pool.spec.template.metadata?.labels };
}

/** What the kubelet is started with. */
export function userData(pool: NodePool, clusterName: string): string {
  const { taints = [], startupTaints = [] } = pool.spec.template.spec;
  const all = [{ key: unregistered, effect: 'NoExecute' }, ...taints, ...startupTaints];
  const labels = Object.entries(poolLabels(pool)).filter(([key]) => !key.startsWith('kubernetes.io/'));
  const flags = [
    `--node-labels=${labels.map(([key, value]) => `${key}=${value}`).join(',')}`,
    `--register-with-taints=${all.map((taint: Taint) => `${taint.key}=${taint.value ?? ''}:${taint.effect}`).join(',')}`,
  ];
  return `#!/bin/bash\n/etc/eks/bootstrap.sh ${clusterName} --kubelet-extra-args '${flags.join(' ')}'\n`;
}

export function instanceIdOf(claim: NodeClaim): string | undefined {
  return claim.status?.providerID?.split('/').at(-1);
}

export function nodeOf(claim: NodeClaim, nodes: ReadonlyMap<string, Node>): Node | undefined {
  const id = claim.status?.providerID;
  return id === undefined ? undefined : [...nodes.values()].find((node) => node.spec.providerID === id);
}

export function has(claim: NodeClaim, type: string): boolean {
  return claim.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

export function isGoing(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

export function claimPath(claim: NodeClaim): string {
  return `${api}/nodeclaims/${claim.metadata.name}`;
}
