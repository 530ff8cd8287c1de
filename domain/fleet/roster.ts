import { API_VERSION } from '../spec/words.js';
import { mergeSpecs } from './merge.js';
import type { Member } from './members.js';
import type { FleetInput, FleetMember, SpecPart } from './schema.js';

/** An EKS cluster that a selection found, as much as makes a `spec.cluster`. */
export interface Found {
  name: string;
  region: string;
  roleArn?: string;
  profile?: string;
}

/** A selection that is still to be asked for: where it stands, and what its clusters are made of. */
export interface OpenSelection {
  ring: number;
  entry: FleetMember;
}

/** Members that were listed by name, and selections. */
export function rosterOf({ spec }: FleetInput): { members: Member[]; selections: OpenSelection[] } {
  const entries = spec.rings.flatMap(({ clusters }, ring) => clusters.map((entry) => ({ ring, entry })));
  return {
    members: entries.flatMap(({ ring, entry }) => (entry.name === undefined ? [] : [member(entry.name, { ring, entry, spec: entry.spec, shared: spec.shared })])),
    selections: entries.filter(({ entry }) => entry.select !== undefined),
  };
}

/** Members of a selection. One that is in the fleet already stays where it is, and is noted. */
export function selected(found: readonly Found[], selection: OpenSelection, known: { members: readonly Member[]; shared: SpecPart }): { members: Member[]; notes: string[] } {
  const members: Member[] = [];
  const notes: string[] = [];
  for (const { name: eksName, ...place } of found) {
    const spec = mergeSpecs(selection.entry.spec, { cluster: { eks: { name: eksName, ...place } } });
    const fresh = member(migrationName(eksName), { ...selection, spec, shared: known.shared });
    const twin = [...known.members, ...members].find((other) => isSame(other, fresh, known.shared));
    if (twin === undefined) members.push(fresh);
    else notes.push(`EKS cluster ${eksName} in ${place.region} is in the fleet already, as ${twin.name}`);
  }
  return { members, notes };
}

/** What a member's migration is started with. */
export function manifestOf({ name, spec, clusterId }: Member, shared: SpecPart): object {
  const whole = mergeSpecs(shared, spec);
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterMigration',
    metadata: { name },
    spec: clusterId === undefined ? whole : mergeSpecs(whole, { cilium: { clusterId } }),
  };
}

/** A name for the migration of an EKS cluster, whose own may hold capitals, `_` and a hundred characters. */
export function migrationName(eksName: string): string {
  return eksName.toLowerCase().replaceAll('_', '-').slice(0, 63).replace(/-+$/, '');
}

function member(name: string, { ring, entry, spec, shared }: OpenSelection & { spec: SpecPart; shared: SpecPart }): Member {
  const clusterId = idNamed(mergeSpecs(shared, spec));
  return {
    name,
    ring,
    spec,
    ...(entry.taskQueue === undefined ? {} : { taskQueue: entry.taskQueue }),
    ...(clusterId === undefined ? {} : { clusterId }),
    stage: 'waiting',
    seen: null,
  };
}

/** The id that a spec names itself. */
export function idNamed(spec: SpecPart): number | undefined {
  const { cilium } = spec;
  const id = isMapping(cilium) ? cilium['clusterId'] : undefined;
  return typeof id === 'number' ? id : undefined;
}

/** By the name that is their lock, or by EKS name, region and account. */
function isSame(one: Member, other: Member, shared: SpecPart): boolean {
  const [place, theirs] = [eksPlace(one, shared), eksPlace(other, shared)];
  return one.name === other.name || (place !== null && place === theirs);
}

function eksPlace({ spec }: Member, shared: SpecPart): string | null {
  const { cluster } = mergeSpecs(shared, spec);
  const eks = isMapping(cluster) ? cluster['eks'] : undefined;
  return isMapping(eks) ? JSON.stringify([eks['name'], eks['region'], eks['roleArn'] ?? null, eks['profile'] ?? null]) : null;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
