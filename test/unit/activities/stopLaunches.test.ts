import { expect, it } from 'vitest';
import { stoppedLaunches, withLaunchesStopped } from '../../../activities/aws/stopLaunches.js';
import { readClusterGuards } from '../../../activities/kubernetes/guardsLedger.js';
import { clientsOf, group, world } from '../drivers/world.js';

it('launches of a group go on when it is done with, and not sooner because another group is', async () => {
  const seen = world({ groups: [group('g', ['i-1']), group('h', ['i-2'])], guards: {} });
  const clients = clientsOf(seen);
  const stopped = async (): Promise<string[]> => stoppedLaunches(await readClusterGuards(clients)).map(({ name }) => name);
  await withLaunchesStopped(clients, 'h', async () => {
    await withLaunchesStopped(clients, 'g', async () => expect((await stopped()).sort()).toEqual(['g', 'h']));
    expect(await stopped()).toEqual(['h']);
    expect(seen.groups.map(({ SuspendedProcesses = [] }) => SuspendedProcesses.length)).toEqual([0, 1]);
  });
  expect(await stopped()).toEqual([]);
  expect(seen.groups.map(({ SuspendedProcesses = [] }) => SuspendedProcesses.length)).toEqual([0, 0]);
});

it('launches go on also where what suspended them is not told yet', async () => {
  const seen = world({ groups: [group('g', ['i-1'])], guards: {} });
  // Describe is a moment old, as AWS may answer.
  seen.meanwhile = (call) => {
    if (call === 'suspend Launch') seen.groups = [group('g', ['i-1'])];
  };
  await withLaunchesStopped(clientsOf(seen), 'g', () => Promise.resolve());
  expect(seen.calls).toEqual(['suspend Launch', 'resume Launch']);
  expect(seen.guards).toBeUndefined();
});
