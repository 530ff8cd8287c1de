import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Entries, GuardEntry } from '../../domain/ledger.js';
import type { Clients } from '../clients/index.js';
import { hold } from '../kubernetes/guard.js';
import { dropGuards, readClusterGuards } from '../kubernetes/guardsLedger.js';
import { describeGroup } from './groups.js';
import { isLaunches, launchesOf, processGuard } from './guards/processes.js';

/**
 * Acts on a group that launches nothing meanwhile, as it is from then on: a DesiredCapacity that is lowered to the instances that
 * there are must not meet one more, or Auto Scaling ends some instance for it. In the ledger, like every process that is
 * suspended; where somebody else suspended Launch it stays so.
 */
export async function withLaunchesStopped(clients: Clients, name: string, act: (group: AutoScalingGroup) => Promise<void>): Promise<void> {
  try {
    await hold(clients, [{ guard: processGuard, ...launchesOf(await describeGroup(clients, name)) }]);
    await act(await describeGroup(clients, name));
  } finally {
    // Only its own: beside it another group may be in the middle of the same.
    await resumeLaunches(clients, (entry) => entry.name === name);
  }
}

/**
 * Launches that were stopped so, and go on again: a worker may have died in between. Asked for in any case, and to its end: a
 * suspension of a moment ago may not be told yet, and to resume twice does no harm.
 */
export async function resumeLaunches(clients: Clients, which: (entry: GuardEntry) => boolean = () => true): Promise<void> {
  const entries = stoppedLaunches(await readClusterGuards(clients)).filter(which);
  for (const entry of entries) await processGuard.write(clients, entry, entry.prior);
  await dropGuards(clients, entries);
}

export function stoppedLaunches(entries: Entries): GuardEntry[] {
  return Object.values(entries).filter(isLaunches);
}
