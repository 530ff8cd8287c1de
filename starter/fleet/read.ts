import { dirname, resolve } from 'node:path';
import { sharedIds } from '../../domain/fleet/ids.js';
import { mergeSpecs, sharedBy, without } from '../../domain/fleet/merge.js';
import { idNamed } from '../../domain/fleet/roster.js';
import { fleetSchema } from '../../domain/fleet/schema.js';
import type { FleetEntry, FleetInput, FleetManifest, FleetMember, SpecPart } from '../../domain/fleet/schema.js';
import { API_VERSION } from '../../domain/spec/words.js';
import { manifestSchema } from '../../domain/spec/schema.js';
import { explain } from '../spec/explain.js';
import type { Complaint } from '../spec/explain.js';
import { fightingValues } from '../spec/fighting.js';
import { checkPaths } from '../spec/paths.js';
import { parseYaml, readSource, SpecError } from '../spec/read.js';
import type { YamlFile } from '../spec/read.js';
import { absolutePart } from './paths.js';

/** The fleet's start, its checkpoint and the progress of all clusters share one payload of 256 KiB. */
const MAX_BYTES = 150 * 1024;

/**
 * Reads a FLEET and every file that it names, and resolves it into what the workflow is started with.
 * @throws SpecError that names every problem with its file and line
 */
export function readFleetFile(file: string): FleetInput {
  const { text, source } = readSource(file, 'Fleet');
  const yaml = parseYaml(text, source.file, 'Fleet');
  const parsed = fleetSchema.safeParse(yaml.value, { reportInput: true });
  if (!parsed.success) throw new SpecError(explain(parsed.error.issues, fleetSchema, 'Fleet').map((complaint) => yaml.line(complaint)));
  return new FleetReader({ yaml, folder: source.folder, fleet: parsed.data }).resolve();
}

interface FleetFile {
  yaml: YamlFile;
  folder: string;
  fleet: FleetManifest;
}

type Path = PropertyKey[];

/** What a member is merged from, the last first to blame: where in which file each part stands. */
interface Source {
  yaml: YamlFile;
  path: Path;
  spec: SpecPart;
}

class FleetReader {
  readonly #wrong: string[] = [];
  readonly #members: { member: FleetMember; at: Path }[] = [];

  constructor(readonly file: FleetFile) {}

  resolve(): FleetInput {
    const { apiVersion, kind, metadata, spec } = this.file.fleet;
    const { defaults: _, rings, ...rest } = spec;
    const read = rings.map((ring, index) => ({ ...ring, clusters: ring.clusters.map((entry, at) => this.#entry(entry, ['spec', 'rings', index, 'clusters', at])) }));
    this.#checkNames();
    this.#checkIds();
    if (this.#wrong.length > 0) throw new SpecError([...new Set(this.#wrong)]);
    const shared = sharedBy(this.#members.map(({ member }) => member.spec));
    const input: FleetInput = {
      apiVersion,
      kind,
      metadata,
      spec: { ...rest, shared, rings: read.map((ring) => ({ ...ring, clusters: ring.clusters.map((member) => ({ ...member, spec: without(member.spec, shared) })) })) },
    };
    const bytes = Buffer.byteLength(JSON.stringify(input));
    if (bytes > MAX_BYTES) throw new SpecError([this.#at(['spec', 'rings'], `expected a fleet of at most ${MAX_BYTES / 1024} KiB (what all clusters share counts once), saw ${Math.ceil(bytes / 1024)} KiB: move what they have in common to defaults, or make two fleets of it`)]);
    return input;
  }

  #at(path: Path, message: string): string {
    return this.file.yaml.line({ path, on: 'value', message });
  }

  #entry(entry: FleetEntry, at: Path): FleetMember {
    const member = entry.file === undefined ? this.#selection(entry, at) : this.#cluster(entry.file, { entry, at });
    this.#members.push({ member, at });
    return member;
  }

  #selection(entry: FleetEntry, at: Path): FleetMember {
    const sources = this.#ownSources(entry, at);
    const spec = merged(sources);
    // What AWS will tell; everything else must stand in the fleet.
    const whole = mergeSpecs(spec, { cluster: { eks: { name: 'selected', region: 'us-east-1' } } });
    this.#check({ apiVersion: API_VERSION, kind: 'ClusterMigration', metadata: { name: 'selected' }, spec: whole }, { sources, missing: { yaml: this.file.yaml, path: [...at, 'select'], why: ' (a selected cluster is made of spec.defaults and overrides)' }, elsewhere: entry.taskQueue !== undefined });
    return { select: entry.select, spec, ...queue(entry) };
  }

  #cluster(path: string, { entry, at }: { entry: FleetEntry; at: Path }): FleetMember {
    const absolute = resolve(this.file.folder, path);
    const own = this.#readCluster(absolute, [...at, 'file']);
    const [overrides, defaults] = this.#ownSources(entry, at);
    if (own === undefined || overrides === undefined || defaults === undefined) return { spec: {} };
    const source: Source = { yaml: own.yaml, path: ['spec'], spec: absolutePart(own.spec, dirname(absolute)) };
    const sources = [overrides, source, defaults];
    const spec = merged(sources);
    this.#check({ ...own.document, spec }, { sources, missing: { yaml: own.yaml, path: [], why: '' }, elsewhere: entry.taskQueue !== undefined });
    return { name: nameOf(own.document), spec, ...queue(entry) };
  }

  #readCluster(file: string, at: Path): { yaml: YamlFile; document: Record<string, unknown>; spec: SpecPart } | undefined {
    try {
      const yaml = parseYaml(readSource(file, 'ClusterMigration').text, file, 'ClusterMigration');
      const document = yaml.value as Record<string, unknown>;
      // A file may leave all of its spec to the defaults but for what names the cluster.
      return { yaml, document, spec: isPart(document['spec']) ? document['spec'] : {} };
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      this.#wrong.push(...error.lines.map((line) => this.#at(at, line)));
      return undefined;
    }
  }

  #ownSources(entry: FleetEntry, at: Path): Source[] {
    const { yaml, folder, fleet } = this.file;
    return [
      { yaml, path: [...at, 'overrides'], spec: absolutePart(entry.overrides ?? {}, folder) },
      { yaml, path: ['spec', 'defaults'], spec: absolutePart(fleet.spec.defaults, folder) },
    ];
  }

  /** The rules of a ClusterMigration, on what was merged; each complaint at the place that said it. */
  #check(document: unknown, { sources, missing, elsewhere }: { sources: Source[]; missing: { yaml: YamlFile; path: Path; why: string }; elsewhere: boolean }): void {
    const blame = (complaint: Complaint): string => {
      const path = [...complaint.path];
      const inSpec = path.slice(1);
      const source = path[0] === 'spec' && inSpec.length > 0 ? sources.find(({ spec }) => has(spec, inSpec)) : undefined;
      if (source !== undefined) return source.yaml.line({ ...complaint, path: [...source.path, ...inSpec] });
      return missing.yaml.line({ ...complaint, path: missing.path.length > 0 ? missing.path : path, message: complaint.message + missing.why });
    };
    const parsed = manifestSchema.safeParse(document, { reportInput: true });
    const complaints = parsed.success ? [...fightingValues(parsed.data), ...(elsewhere ? [] : checkPaths(parsed.data))] : explain(parsed.error.issues, manifestSchema);
    this.#wrong.push(...complaints.map(blame));
  }

  #checkNames(): void {
    this.#members.forEach(({ member, at }, index) => {
      if (member.name !== undefined && this.#members.findIndex((other) => other.member.name === member.name) !== index) {
        this.#wrong.push(this.#at([...at, 'file'], `expected each cluster once, saw a second ${member.name} (metadata.name)`));
      }
    });
  }

  /** Where the fleet gives ids they are one mesh's, so those that files name must differ, too. */
  #checkIds(): void {
    if (this.file.fleet.spec.clusterIds === undefined) return;
    const holders = this.#members.flatMap(({ member }) => (member.name === undefined ? [] : [{ name: member.name, id: idNamed(member.spec) ?? null }]));
    for (const { id, names } of sharedIds(holders)) this.#wrong.push(this.#at(['spec', 'clusterIds'], `expected a cilium.clusterId of its own for each cluster, saw ${id} in ${names.join(' and ')}`));
  }
}

function merged(sources: readonly Source[]): SpecPart {
  return sources.map(({ spec }) => spec).reduceRight((under, over) => mergeSpecs(under, over), {});
}

function queue({ taskQueue }: FleetEntry): { taskQueue?: string } {
  return taskQueue === undefined ? {} : { taskQueue };
}

function nameOf({ metadata }: Record<string, unknown>): string {
  return isPart(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '';
}

function isPart(value: unknown): value is SpecPart {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function has(spec: SpecPart, path: Path): boolean {
  let at: unknown = spec;
  for (const part of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return false;
    at = (at as Record<PropertyKey, unknown>)[part];
  }
  return true;
}
