import { chooseIds, sharedIds } from '../../domain/fleet/ids.js';
import type { Member } from '../../domain/fleet/members.js';
import { mergeSpecs } from '../../domain/fleet/merge.js';
import { rosterOf, selected } from '../../domain/fleet/roster.js';
import { grouped } from '../../domain/grouped.js';
import type { ClusterRef } from '../../domain/spec/schema.js';
import { acts } from '../activityProxies.js';
import type { Fleet } from './fleet.js';
import { fleetActs, readClusterIdsOn } from './proxies.js';

/** Clusters of one call: an unreachable one costs its time-out. */
const CHUNK = 25;

/** What the fleet is made of: read once, whatever continues as new. Nothing is started before all of it is known. */
export async function gather(fleet: Fleet, input: unknown): Promise<void> {
  const { book } = fleet;
  if (book.plan === null) {
    book.searchAttributes = (await fleet.step(() => acts.temporalFacts())).searchAttributes;
    const read = await fleetActs.readFleet(input);
    const { shared, failureBudget, clusterIds = null, windows, rings } = read.spec;
    const { members, selections } = rosterOf(read);
    Object.assign(book, { fleet: read.metadata.name, members, selections });
    book.plan = { shared, failureBudget, clusterIds, windows, rings: rings.map(({ name, maxInFlight, gate }) => ({ name, maxInFlight, gate })) };
    fleet.show();
  }
  for (const selection of [...book.selections]) {
    const { select } = selection.entry;
    if (select === undefined) continue;
    const found = await fleet.step(() => fleetActs.findClusters({ select }));
    const { members, notes } = selected(found, selection, { members: book.members, shared: fleet.plan.shared });
    book.members.push(...members);
    book.notes.push(...notes, ...(found.length === 0 ? [`no EKS cluster carries ${JSON.stringify(select.tags)}`] : []));
    book.selections = book.selections.filter((other) => other !== selection);
  }
  if (!book.idsChosen) await giveIds(fleet);
  book.idsChosen = true;
}

/**
 * Ids for clusters that name none. The ids in use are read first: of every cluster that names none, for one that runs with an id
 * keeps it. While one of them cannot be read nobody knows which id it has, so none is given away.
 */
async function giveIds(fleet: Fleet): Promise<void> {
  const { plan, book } = fleet;
  if (plan.clusterIds === null) return;
  const open = book.members.filter(({ clusterId }) => clusterId === undefined);
  const read = new Map<string, number | null>();
  await fleet.step(async () => {
    const problems: string[] = [];
    for (const [taskQueue, members] of grouped(open.filter(({ name }) => !read.has(name)), ({ taskQueue }) => taskQueue)) {
      for (const chunk of chunks(members)) {
        const clusters = chunk.map((member) => ({ name: member.name, cluster: mergeSpecs(plan.shared, member.spec)['cluster'] as ClusterRef }));
        for (const { name, id, problem } of await readClusterIdsOn(taskQueue)({ clusters })) {
          if (problem === undefined) read.set(name, id);
          else problems.push(`${name}: ${problem}`);
        }
      }
    }
    if (problems.length > 0) fleet.needsHuman(`clusterIds: cannot read the id in use of ${problems.slice(0, 3).join('; ')}${problems.length > 3 ? ` and ${problems.length - 3} more` : ''}. Mend it and resume, or name its cilium.clusterId`);
  });
  const holders = book.members.map((member) => ({ name: member.name, id: member.clusterId ?? read.get(member.name) ?? null }));
  const twice = sharedIds(holders);
  const { chosen, without } = chooseIds(holders, plan.clusterIds);
  if (twice.length > 0) fleet.fail(`clusterIds: ${twice.map(({ id, names }) => `${id} is the id of ${names.join(' and ')}`).join('; ')}. Give each its own in its file`);
  if (without.length > 0) fleet.fail(`clusterIds: expected room for every cluster, saw none left from ${plan.clusterIds.from} to ${plan.clusterIds.to} for ${without.slice(0, 10).join(', ')}`);
  for (const member of open) member.clusterId = read.get(member.name) ?? chosen[member.name];
}

function chunks(members: readonly Member[]): Member[][] {
  return Array.from({ length: Math.ceil(members.length / CHUNK) }, (_, index) => members.slice(index * CHUNK, (index + 1) * CHUNK));
}
