import type { Direction } from '../../domain/directions/index.js';
import { entriesOf } from '../../domain/ledger.js';
import type { GuardEntry, LedgerSet } from '../../domain/ledger.js';
import { processGuard } from '../aws/guards/processes.js';
import { scaleInProtectionGuard } from '../aws/guards/scaleInProtection.js';
import { desiredGuard, maxGuard } from '../aws/guards/sizes.js';
import type { GuardSet } from '../api.js';
import type { Clients } from '../clients/index.js';
import { giveBack, hold } from './guard.js';
import type { GivenBack, Guard, SetGuard } from './guard.js';
import { cordonGuard } from './guards/cordon.js';
import { disruptionBudgetsGuard } from './guards/disruptionBudgets.js';
import { lbExclusionGuard } from './guards/lbExclusion.js';
import { probeJobsGuard } from './guards/probeJobs.js';
import { scaleDownGuard } from './guards/scaleDown.js';
import { singletonGuard } from './guards/singleton.js';
import { readGuards, readNodeGuards } from './guardsLedger.js';
import { openOldNodes } from './noCniTaint.js';
import { giveBackSoftTaint, holdSoftTaint } from './softTaint.js';
import { dropTerminations } from './terminations.js';

const SET_GUARDS: SetGuard[] = [scaleDownGuard, disruptionBudgetsGuard, processGuard];
const GUARDS: Guard[] = [cordonGuard, lbExclusionGuard, singletonGuard, probeJobsGuard, ...SET_GUARDS, scaleInProtectionGuard, desiredGuard, maxGuard];

/** Takes every guard of the set that is not held yet. */
export async function holdGuards(clients: Clients, set: GuardSet, direction: Direction): Promise<{ taken: string[] }> {
  const tainted = set === 'whole' ? await holdSoftTaint(clients, direction) : [];
  const wanted = await Promise.all(SET_GUARDS.map(async (guard) => (await guard.wanted(clients, set)).map((each) => ({ ...each, guard }))));
  return { taken: [...tainted, ...(await hold(clients, wanted.flat()))] };
}

/** Gives back a set; `whole` gives back everything that the ledger knows, nodes' guards too. */
export async function giveBackGuards(clients: Clients, set: GuardSet): Promise<GivenBack> {
  const back = await giveBackEntries(clients, entriesOf(await readGuards(clients), set));
  if (set !== 'whole') return back;
  await dropTerminations(clients);
  back.given.push(...(await giveBackSoftTaint(clients)), ...(await openOldNodes(clients)));
  return back;
}

/** Gives back the guards of one node, known by its UID. */
export async function giveBackNode(clients: Clients, uid: string): Promise<GivenBack> {
  const set: LedgerSet = 'node';
  return giveBackEntries(clients, (await readNodeGuards(clients, uid)).filter((entry) => entry.set === set));
}

async function giveBackEntries(clients: Clients, entries: GuardEntry[]): Promise<GivenBack> {
  const all: GivenBack = { given: [], left: [], missed: [] };
  for (const guard of GUARDS) {
    const part = await giveBack(
      clients,
      guard,
      entries.filter((entry) => entry.kind === guard.kind),
    );
    all.given.push(...part.given);
    all.left.push(...part.left);
    all.missed.push(...part.missed);
  }
  return all;
}
