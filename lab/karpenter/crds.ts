import type { KubeObject } from '../cluster/client.js';

type Manifest = KubeObject & { [key: string]: unknown };

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Budgets as the real CRD has them: the default, and values that are checked. */
const budgets = {
  type: 'array',
  maxItems: 50,
  default: [{ nodes: '10%' }],
  items: {
    type: 'object',
    required: ['nodes'],
    properties: {
      nodes: { type: 'string', default: '10%', pattern: '^((100|[0-9]{1,2})%|[0-9]+)$' },
      schedule: { type: 'string' },
      duration: { type: 'string' },
      reasons: { type: 'array', items: { type: 'string', enum: ['Underutilized', 'Empty', 'Drifted'] } },
    },
  },
};

const nodePool = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['template'],
      properties: {
        disruption: {
          type: 'object',
          default: { consolidateAfter: '0s' },
          required: ['consolidateAfter'],
          properties: { budgets, consolidateAfter: { type: 'string' }, consolidationPolicy: { type: 'string', default: 'WhenEmptyOrUnderutilized' } },
        },
        template: open,
        limits: open,
        weight: { type: 'integer' },
      },
    },
    status: open,
  },
};

/** NodePool and NodeClaim of karpenter.sh/v1. */
export function karpenterDefinitions(): Manifest[] {
  return [definition('nodepools', 'NodePool', nodePool), definition('nodeclaims', 'NodeClaim', { type: 'object', properties: { spec: open, status: open } })];
}

function definition(plural: string, kind: string, openAPIV3Schema: object): Manifest {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.karpenter.sh` },
    spec: {
      group: 'karpenter.sh',
      names: { plural, kind, singular: kind.toLowerCase(), categories: ['karpenter'] },
      scope: 'Cluster',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} } }],
    },
  };
}
