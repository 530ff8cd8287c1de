import { distance } from 'fastest-levenshtein';
import { z } from 'zod';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** One thing wrong with a SPEC, in words; `on` says whether its key or its value is to blame. */
export interface Complaint {
  path: Path;
  on: 'key' | 'value';
  message: string;
}

/** What is explained: its root is called by its kind. */
interface Root {
  schema: z.ZodType;
  kind: string;
}

/** Turns what zod found into sentences: what was expected, what was seen, and the name that was probably meant. */
export function explain(issues: readonly Issue[], schema: z.ZodType, kind = 'ClusterMigration'): Complaint[] {
  const misspelt = new Set(issues.filter((issue) => issue.code === 'unrecognized_keys').map((issue) => issue.path.join('\0')));
  return issues
    // "expected exactly one of kubeconfig and eks" says nothing new beside "unknown key kubeconfg".
    .filter((issue) => issue.code !== 'custom' || !misspelt.has(issue.path.join('\0')))
    .flatMap((issue) => complaints(issue, { schema, kind }));
}

function complaints(issue: Issue, root: Root): Complaint[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], on: 'key', message: unknownKey(key, path, root) }));
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return [{ path, on: 'value', message: `${dotted(path, root.kind)} is missing: expected ${described(path, root.schema) ?? a(issue.expected)}` }];
  }
  return [{ path, on: 'value', message: `${dotted(path, root.kind)}: ${expectation(issue)}${sawWhat(issue)}` }];
}

function unknownKey(key: string, path: Path, root: Root): string {
  const known = Object.keys(shapeAt(root.schema, path) ?? {});
  const near = nearest(key, known);
  const elsewhere = placesOf(key, root)[0];
  const hint =
    elsewhere !== undefined
      ? `${key} belongs to ${elsewhere}`
      : near !== undefined
        ? `did you mean ${near}?`
        : `expected one of ${known.join(', ')}`;
  return `unknown key ${JSON.stringify(key)} in ${dotted(path, root.kind)}: ${hint}`;
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${a(issue.expected)}`;
    case 'invalid_value':
      return expectedOneOf(issue);
    case 'invalid_union':
      return `expected ${[...new Set(issue.errors.flat().map((inner) => expectation(inner).replace(/^expected /, '')))].join(' or ')}`;
    case 'too_small':
      if (issue.origin === 'string') return 'expected a text that is not empty';
      return issue.message.startsWith('expected') ? issue.message : `expected at least ${String(issue.minimum)}`;
    case 'too_big':
      return issue.message.startsWith('expected') ? issue.message : `expected at most ${String(issue.maximum)}`;
    case 'unrecognized_keys':
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return issue.message;
  }
}

function expectedOneOf(issue: z.core.$ZodIssueInvalidValue): string {
  const values = issue.values.map(String);
  const near = typeof issue.input === 'string' ? nearest(issue.input, values) : undefined;
  const list = values.length === 1 ? values[0] : `one of ${values.join(', ')}`;
  return `expected ${list}${near === undefined || values.length === 1 ? '' : ` (did you mean ${near}?)`}`;
}

function sawWhat(issue: Issue): string {
  const { input } = issue;
  if (issue.code === 'custom' && typeof input === 'object') return '';
  if (typeof input === 'number' && issue.code === 'invalid_type' && issue.expected === 'string') {
    return `, saw the number ${input}: put it in quotes, with every digit`;
  }
  if (input === null) return ', saw nothing: give it a value or leave the key out';
  return `, saw ${shown(input)}`;
}

/** A value as a person wrote it, cut short. Never more than a glimpse: a SPEC may hold what is not meant for a log. */
export function shown(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object' && input !== null) return 'a mapping';
  const text = typeof input === 'string' ? JSON.stringify(input) : String(input);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function a(type: string): string {
  const words: Record<string, string> = {
    object: 'a mapping', record: 'a mapping', array: 'a list', string: 'a text', boolean: 'true or false', int: 'a whole number',
    number: 'a number', null: 'null',
  };
  return words[type] ?? type;
}

/** `spec.cilium.version`; the root is called by its kind. */
function dotted(path: Path, kind: string): string {
  return path.length === 0 ? kind : path.map((part) => (typeof part === 'number' ? `[${part}]` : String(part))).join('.').replaceAll('.[', '[');
}

/** The nearest of `known`, unless it is too far off to be what was meant. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.ceil(typed.length / 3));
  const ranked = known
    .map((name) => ({ name, far: distance(typed.toLowerCase(), name.toLowerCase()) }))
    .sort((one, other) => one.far - other.far);
  return ranked[0] !== undefined && ranked[0].far <= limit ? ranked[0].name : undefined;
}

function shapeAt(schema: z.ZodType, path: Path): Record<string, z.ZodType> | undefined {
  const found = schemaAt(schema, path);
  return found === undefined ? undefined : objectShape(found);
}

/** The schema of what stands at a path: keys of mappings, items of lists. */
function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>((one, part) => {
    if (one === undefined) return undefined;
    const bare = bareType(one);
    return bare instanceof z.ZodArray ? (bare.element as z.ZodType) : objectShape(one)?.[String(part)];
  }, schema);
}

function described(path: Path, schema: z.ZodType): string | undefined {
  const at = schemaAt(schema, path);
  if (at === undefined) return undefined;
  const bare = bareType(at);
  if (bare instanceof z.ZodLiteral) return [...bare.values].map(String).join(' or ');
  const shape = objectShape(at);
  if (shape !== undefined) return `a mapping with ${Object.keys(shape).join(', ')}`;
  return at.description === undefined ? undefined : `${at.description.charAt(0).toLowerCase()}${at.description.slice(1)}`;
}

function objectShape(schema: z.ZodType): Record<string, z.ZodType> | undefined {
  const bare = bareType(schema);
  return bare instanceof z.ZodObject ? (bare.shape as Record<string, z.ZodType>) : undefined;
}

function bareType(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return bareType(schema.unwrap() as z.ZodType);
  }
  return schema;
}

/** Dotted paths of every mapping that knows `key`: for a key that was put one level too high or too low. */
function placesOf(key: string, { schema, kind }: Root, at: Path = []): string[] {
  const shape = objectShape(schema) ?? {};
  const here = Object.hasOwn(shape, key) ? [dotted(at, kind)] : [];
  return [...here, ...Object.entries(shape).flatMap(([name, child]) => placesOf(key, { schema: child, kind }, [...at, name]))];
}
