import type { Node } from './types.js';

interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}

/** The part of a pod's spec that says on which nodes it may be. */
export interface PodPlacement {
  nodeSelector?: Record<string, string>;
  affinity?: { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: { matchExpressions?: Requirement[] }[] } } };
}

/** Whether a pod's selector and required node affinity allow this node (labels only; taints are the DaemonSet's to tolerate). */
export function mayRun(placement: PodPlacement, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  if (Object.entries(placement.nodeSelector ?? {}).some(([key, value]) => labels[key] !== value)) return false;
  const terms = placement.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined) return true;
  return terms.some((term) => (term.matchExpressions ?? []).length > 0 && (term.matchExpressions ?? []).every((item) => holds(item, labels)));
}

function holds(requirement: Requirement, labels: Record<string, string>): boolean {
  const value = labels[requirement.key];
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
