import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isAlias, isCollection, isMap, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { manifestSchema } from '../../domain/spec/schema.js';
import type { Manifest } from '../../domain/spec/schema.js';
import { KINDS } from '../../domain/spec/words.js';
import { EXIT, ExitError } from '../exit.js';
import { explain } from './explain.js';
import type { Complaint } from './explain.js';
import { fightingValues } from './fighting.js';
import { checkPaths, withAbsolutePaths } from './paths.js';
import { Positions } from './position.js';
import type { Position } from './position.js';

/** More than this is not a SPEC; Temporal refuses payloads above 2 MB. */
const MAX_BYTES = 512 * 1024;

/** Everything wrong with a SPEC at once, each line `file:line:col: what`. Exit code 2. */
export class SpecError extends ExitError {
  constructor(readonly lines: string[]) {
    super(EXIT.usage, lines.join('\n'));
  }
}

/** A kind of document that a person writes, and the schema that it must fit. */
export interface Form<S extends z.ZodType> {
  kind: string;
  schema: S;
}

/** Where a text came from: errors name the file, and paths in it are relative to the folder. */
export interface Source {
  file: string;
  folder: string;
}

/** A document that fits its schema; `refuse` turns further complaints into an error that names their lines. */
export interface Parsed<T> {
  data: T;
  refuse(complaints: readonly Complaint[]): SpecError;
}

const MANIFEST: Form<typeof manifestSchema> = { kind: 'ClusterMigration', schema: manifestSchema };

/**
 * Reads a SPEC strictly and makes its paths absolute from the file's own folder (`-` reads stdin, from the current folder).
 * `needsChart: false` is for verbs that never read the chart: they must work without its file.
 * @throws SpecError that names every problem with its line
 */
export function readSpec(file: string, options: { needsChart?: boolean } = {}): Manifest {
  const { text, source } = readSource(file, MANIFEST.kind);
  return parseSpec(text, { ...source, ...options });
}

/** The same for a text that is already there. */
export function parseSpec(text: string, source: Source & { needsChart?: boolean }): Manifest {
  const { data, refuse } = parseDocument(text, source, MANIFEST);
  const manifest = withAbsolutePaths(data, source.folder);
  const wrong = [...fightingValues(manifest), ...(source.needsChart === false ? [] : checkPaths(manifest))];
  if (wrong.length > 0) throw refuse(wrong);
  return manifest;
}

/** The text of a file (`-` is stdin), for any kind of document. */
export function readSource(file: string, kind: string): { text: string; source: Source } {
  const folder = file === '-' ? process.cwd() : dirname(resolve(file));
  return { text: readText(file, kind), source: { file: file === '-' ? '<stdin>' : file, folder } };
}

/**
 * Parses one document of one kind strictly.
 * @throws SpecError that names every problem with its line
 */
export function parseDocument<S extends z.ZodType>(text: string, source: Source, { kind, schema }: Form<S>): Parsed<z.output<S>> {
  const { value, line } = parseYaml(text, source.file, kind);
  const refuse = (complaints: readonly Complaint[]): SpecError => new SpecError(complaints.map(line));
  const parsed = schema.safeParse(value, { reportInput: true });
  if (!parsed.success) {
    const complaints = explain(parsed.error.issues, schema, kind);
    // Of another kind of document everything else is wrong, too, and none of that is news.
    const other = complaints.filter(({ path }) => path.length === 1 && path[0] === 'kind');
    throw refuse(other.length > 0 && isOtherKind(value) ? other : complaints);
  }
  return { data: parsed.data, refuse };
}

/** Some kind of ours, and not the one that was asked for. */
function isOtherKind(value: unknown): boolean {
  const { kind } = value as { kind?: unknown };
  return KINDS.some((ours) => ours === kind);
}

/** A YAML document as plain JSON, and where in it things stand. */
export interface YamlFile {
  value: unknown;
  /** `file:line:col: what` of a complaint about it. */
  line(complaint: Complaint): string;
}

/** Reads one YAML document strictly, whatever its kind. @throws SpecError with the line of what is no plain YAML */
export function parseYaml(text: string, file: string, kind: string): YamlFile {
  const fail = (at: Position, message: string): string => `${file}:${at.line}:${at.col}: ${message}`;
  const lines = new LineCounter();
  const document = onlyDocument(text, lines, { fail, kind });
  const positions = new Positions(document, lines);
  return {
    value: plainValue(document, fail),
    line: ({ path, on, message }) => fail(on === 'key' ? positions.ofKey(path) : positions.ofValue(path), message),
  };
}

function readText(file: string, kind: string): string {
  try {
    const bytes = readFileSync(file === '-' ? 0 : file);
    if (bytes.length > MAX_BYTES) throw new SpecError([`${file}: expected a ${kind} of at most ${MAX_BYTES / 1024} KiB, saw ${Math.ceil(bytes.length / 1024)} KiB`]);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof SpecError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new SpecError([`${file}: no such file; -f takes the path of a ${kind} (YAML)`]);
    if (code === 'EISDIR') throw new SpecError([`${file}: expected a file, saw a folder`]);
    if (error instanceof TypeError) throw new SpecError([`${file}: expected UTF-8 text`]);
    throw new SpecError([`${file}: cannot be read: ${(error as Error).message}`]);
  }
}

const JSON_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq|merge)$/;

type Fail = (at: Position, message: string) => string;

function onlyDocument(text: string, lines: LineCounter, { fail, kind }: { fail: Fail; kind: string }): Document.Parsed {
  const documents = parseAllDocuments(text, { lineCounter: lines, merge: true, strict: true, uniqueKeys: true, prettyErrors: false });
  const [first, second] = Array.isArray(documents) ? documents : [];
  if (first === undefined || (first.contents === null && first.errors.length === 0)) {
    throw new SpecError([fail({ line: 1, col: 1 }, `expected a ${kind}, saw an empty file`)]);
  }
  const at = (offset: number): Position => lines.linePos(offset);
  const wrong = [...first.errors, ...first.warnings].map((error) =>
    fail(at(error.pos[0]), error.code === 'DUPLICATE_KEY' ? `duplicate key: ${keyAt(text, error.pos[0])} stands here a second time` : `not valid YAML: ${error.message}`),
  );
  if (wrong.length > 0) throw new SpecError(wrong);
  if (second !== undefined) throw new SpecError([fail(at(second.range[0]), `expected one document, saw a second one; give each ${kind} a file of its own`)]);
  visit(first, {
    Pair: (_, { key }) => {
      if (isCollection(key) || isAlias(key)) throw new SpecError([fail(at(key.range?.[0] ?? 0), 'expected a text as key, saw a mapping, a list or an alias')]);
    },
    // !!binary, !!timestamp, !!set and the like are no JSON, and a SPEC is JSON in the end.
    Node: (_, { tag, range }) => {
      if (tag !== undefined && !JSON_TAG.test(tag)) throw new SpecError([fail(at(range?.[0] ?? 0), `expected plain YAML, saw the tag ${tag.replace('tag:yaml.org,2002:', '!!')}`)]);
    },
  });
  if (!isMap(first.contents)) throw new SpecError([fail({ line: 1, col: 1 }, 'expected a mapping that starts with apiVersion: ciliate.io/v1alpha1')]);
  return first;
}

function keyAt(text: string, offset: number): string {
  return /^[^\s:]+/.exec(text.slice(offset))?.[0] ?? 'a key';
}

/** The document as plain JSON. Anchors and aliases are fine; one that contains itself, or unfolds to thousands, is not. */
function plainValue(document: Document.Parsed, fail: Fail): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    JSON.stringify(value);
    return value;
  } catch (error) {
    throw new SpecError([fail({ line: 1, col: 1 }, `aliases cannot be unfolded: ${(error as Error).message.split('\n')[0] ?? ''}`)]);
  }
}
