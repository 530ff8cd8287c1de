/** One requirement of a selector; all of a selector are AND-ed. */
export type Requirement = { key: string; operator: 'Exists' | 'DoesNotExist'; values?: undefined } | { key: string; operator: 'In' | 'NotIn'; values: string[] };

/**
 * A label selector as the API server takes it in a query, equality- and set-based: `a=b,c!=d,e,!f,g in (h,i),j notin (k)`. The problem
 * says what was expected where, counted from 1. An empty one, which selects everything, is a problem; so are `<` and `>`.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function parseSelector(text: string): { requirements: Requirement[] } | { problem: string } {
  const words = new Words(text);
  try {
    const requirements = [requirement(words)];
    while (!words.ended) {
      words.take(isAny(','), '","');
      requirements.push(requirement(words));
    }
    return { requirements };
  } catch (error) {
    if (error instanceof Unexpected) return { problem: error.message };
    throw error;
  }
}

class Unexpected extends Error {}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function isKey(word: string): boolean {
  const slash = word.indexOf('/');
  return NAME.test(word.slice(slash + 1)) && (slash === -1 || DOMAIN.test(word.slice(0, slash)));
}

function isValue(word: string): boolean {
  return NAME.test(word);
}

function isAny(...words: string[]): (word: string) => boolean {
  return (word) => words.includes(word);
}

function requirement(words: Words): Requirement {
  const absent = words.takes('!');
  const key = words.take(isKey, 'a label key');
  if (absent) return { key, operator: 'DoesNotExist' };
  if (words.ended || words.next === ',') return { key, operator: 'Exists' };
  const operator = words.take(isAny('=', '==', '!=', 'in', 'notin'), '=, ==, !=, in, notin or ","');
  switch (operator) {
    case 'in':
      return { key, operator: 'In', values: valuesOf(words) };
    case 'notin':
      return { key, operator: 'NotIn', values: valuesOf(words) };
    default:
      return { key, operator: operator === '!=' ? 'NotIn' : 'In', values: [value(words, [','])] };
  }
}

/** What stands between the brackets; nothing between two commas is the empty value. */
function valuesOf(words: Words): string[] {
  words.take(isAny('('), '"("');
  const values = new Set<string>();
  do values.add(value(words, [',', ')']));
  while (words.take(isAny(',', ')'), '"," or ")"') === ',');
  return [...values];
}

/** The value, or the empty one where what comes after it stands already. */
function value(words: Words, after: string[]): string {
  return words.ended || isAny(...after)(words.next) ? '' : words.take(isValue, 'a label value');
}

/** The words and signs of a selector, one after the other. */
class Words {
  readonly #words: { word: string; at: number }[];

  constructor(text: string) {
    this.#words = [...text.matchAll(/[!=]=|[!=(),<>]|[^ \t\r\n!=(),<>]+/g)].map(({ 0: word, index }) => ({ word, at: index + 1 }));
  }

  get ended(): boolean {
    return this.#words.length === 0;
  }

  get next(): string {
    return this.#words[0]?.word ?? '';
  }

  takes(word: string): boolean {
    if (this.next !== word) return false;
    this.#words.shift();
    return true;
  }

  take(fits: (word: string) => boolean, expected: string): string {
    const found = this.#words.shift();
    if (found === undefined) throw new Unexpected(`${expected} at its end`);
    if (!fits(found.word)) throw new Unexpected(`${expected} at character ${found.at} instead of ${JSON.stringify(found.word)}`);
    return found.word;
  }
}
