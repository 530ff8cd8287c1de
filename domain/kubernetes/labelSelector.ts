import { grouped } from '../grouped.js';

/** A LabelSelector of metav1, with its semantics: everything in it is AND-ed; an empty one matches everything, none nothing. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

type Labels = Readonly<Record<string, string>>;

export function matchesSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    (selector.matchExpressions ?? []).every((requirement) => holds(requirement, labels))
  );
}

/**
 * Which of many selectors match some labels, without trying each: of one with matchLabels the first pair is looked up. Thousands of pods
 * by a thousand budgets are asked for every second or so.
 */
export function selectorIndex<T>(items: readonly T[], selectorOf: (item: T) => LabelSelector | undefined): (labels: Labels) => T[] {
  const byPair = grouped(items, (item) => Object.entries(selectorOf(item)?.matchLabels ?? {}).map(pairText)[0]);
  return (labels) => [undefined, ...Object.entries(labels).map(pairText)].flatMap((pair) => byPair.get(pair) ?? []).filter((item) => matchesSelector(selectorOf(item), labels));
}

/** The key of a label has no equals sign. */
function pairText([key, value]: [string, string]): string {
  return `${key}=${value}`;
}

function holds({ key, operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number], labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
