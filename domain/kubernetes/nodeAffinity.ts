/**
 * Node affinity with the semantics of the scheduler and of the DaemonSet controller
 * (k8s.io/component-helpers/scheduling/corev1/nodeaffinity and k8s.io/apimachinery/pkg/labels, v1.36): terms are OR-ed,
 * the expressions of a term are AND-ed, and a term without any expression matches no node.
 */
export interface NodeSelectorRequirement {
  key: string;
  operator: string;
  values?: string[];
}

export interface NodeSelectorTerm {
  matchExpressions?: NodeSelectorRequirement[];
  /** Only `metadata.name` with In or NotIn and one value is allowed by the API. */
  matchFields?: NodeSelectorRequirement[];
}

/** The part of a pod's `affinity` that is read here; everything else is kept as it is. */
export interface Affinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: NodeSelectorTerm[] | null } | null;
    preferredDuringSchedulingIgnoredDuringExecution?: unknown;
  } | null;
  podAffinity?: unknown;
  podAntiAffinity?: unknown;
}

/** What a node is matched by. */
export interface NodeIdentity {
  name: string;
  labels: Record<string, string>;
}

/**
 * Whether a pod with this affinity and nodeSelector may be placed on the node, taints and resources apart. This is the rule by
 * which a DaemonSet counts the nodes that it wants (with its tolerations: an agent of Cilium tolerates everything).
 */
export function matchesNode(affinity: Affinity | null | undefined, nodeSelector: Record<string, string> | null | undefined, node: NodeIdentity): boolean {
  const selected = Object.entries(nodeSelector ?? {}).every(([key, value]) => node.labels[key] === value && Object.hasOwn(node.labels, key));
  if (!selected) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined || required === null) return true;
  return (required.nodeSelectorTerms ?? []).some((term) => matchesTerm(term, node));
}

/** Whether one term matches; a term that says nothing matches nothing. */
export function matchesTerm(term: NodeSelectorTerm, node: NodeIdentity): boolean {
  if (saysNothing(term)) return false;
  return (
    (term.matchExpressions ?? []).every((requirement) => matchesLabels(requirement, node.labels)) &&
    (term.matchFields ?? []).every((requirement) => matchesField(requirement, node.name))
  );
}

/**
 * A copy of a pod template's affinity in which `expression` is appended to the matchExpressions of every required term, so that
 * the pods go where they went before AND where the expression holds. A term or block is created where there is none. A term with
 * only matchFields gets it too; a term that says nothing matches no node and stays so. Idempotent.
 */
export function appendToEveryTerm(affinity: Affinity | null | undefined, expression: NodeSelectorRequirement): Affinity {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms ?? [];
  const appended = terms.length === 0 ? [{ matchExpressions: [copyOf(expression)] }] : terms.map((term) => appendToTerm(term, expression));
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { ...required, nodeSelectorTerms: appended },
    },
  };
}

/**
 * As {@link appendToEveryTerm}, and what the terms said of label `key` is dropped in the same go: a term that held nothing else is left
 * with `expression` alone, so none is ever emptied or lost.
 */
export function replaceInEveryTerm(affinity: Affinity | null | undefined, key: string, expression: NodeSelectorRequirement): Affinity {
  const appended = appendToEveryTerm(affinity, expression);
  const required = appended.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const nodeSelectorTerms = (required?.nodeSelectorTerms ?? []).map((term) =>
    term.matchExpressions === undefined ? term : { ...term, matchExpressions: term.matchExpressions.filter((candidate) => candidate.key !== key) },
  );
  return { ...appended, nodeAffinity: { ...appended.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { ...required, nodeSelectorTerms } } };
}

/** Without anything about these labels. A term that spoke of nothing else matched every node, so then no required term is left. */
export function withoutKeys(affinity: Affinity | null | undefined, keys: readonly string[]): Affinity | undefined {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const kept = terms.map((term) => ({ ...term, matchExpressions: (term.matchExpressions ?? []).filter(({ key }) => !keys.includes(key)) }));
  const matchesAll = kept.some((term, index) => saysNothing(term) && !saysNothing(terms[index] ?? {}));
  const required = matchesAll || kept.length === 0 ? {} : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: kept } };
  return { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: undefined, ...required } };
}

/** Whether no required term can match a node unless `expression` stands in it. False where there is no required term at all. */
export function hasInEveryTerm(affinity: Affinity | null | undefined, expression: NodeSelectorRequirement): boolean {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms.length > 0 && terms.every((term) => saysNothing(term) || holds(term, expression));
}

/** Every label key that the required terms speak of. */
export function affinityKeys(affinity: Affinity | null | undefined): string[] {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms.flatMap((term) => (term.matchExpressions ?? []).map(({ key }) => key));
}

function appendToTerm(term: NodeSelectorTerm, expression: NodeSelectorRequirement): NodeSelectorTerm {
  if (saysNothing(term) || holds(term, expression)) return term;
  return { ...term, matchExpressions: [...(term.matchExpressions ?? []), copyOf(expression)] };
}

function saysNothing(term: NodeSelectorTerm): boolean {
  return (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0;
}

function holds(term: NodeSelectorTerm, expression: NodeSelectorRequirement): boolean {
  return (term.matchExpressions ?? []).some((candidate) => sameRequirement(candidate, expression));
}

/** `In` and `NotIn` speak of a set: order and repetition mean nothing. */
function sameRequirement(a: NodeSelectorRequirement, b: NodeSelectorRequirement): boolean {
  if (a.key !== b.key || a.operator !== b.operator) return false;
  const left = new Set(a.values ?? []);
  const right = new Set(b.values ?? []);
  return left.size === right.size && [...left].every((value) => right.has(value));
}

function copyOf(expression: NodeSelectorRequirement): NodeSelectorRequirement {
  return { ...expression, ...(expression.values === undefined ? {} : { values: [...expression.values] }) };
}

/** A requirement that the API would refuse (an unknown operator, In without values) matches nothing: fail closed. */
function matchesLabels(requirement: NodeSelectorRequirement, labels: Record<string, string>): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return values.length > 0 && (value === undefined || !values.includes(value));
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const seen = int64(value);
      const bound = values.length === 1 ? int64(values[0]) : undefined;
      if (seen === undefined || bound === undefined) return false;
      return requirement.operator === 'Gt' ? seen > bound : seen < bound;
    }
    default:
      return false;
  }
}

function matchesField(requirement: NodeSelectorRequirement, name: string): boolean {
  const values = requirement.values ?? [];
  if (requirement.key !== 'metadata.name' || values.length !== 1) return false;
  switch (requirement.operator) {
    case 'In':
      return values[0] === name;
    case 'NotIn':
      return values[0] !== name;
    default:
      return false;
  }
}

/** As strconv.ParseInt(text, 10, 64). */
function int64(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined;
  const parsed = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, parsed) === parsed ? parsed : undefined;
}
