import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { protectionOf, scaleInProtectionGuard } from '../../../activities/aws/guards/scaleInProtection.js';
import { taking } from '../../../domain/ledger.js';
import { clientsOf, group, withLifecycle, world } from './world.js';

const at = '2026-11-23T10:00:00.500Z';
const launched = (time: string) => ({ state: 'running', launched: new Date(time) });

it('of the group is taken off, and then of what was launched since; somebody else keeps his', async () => {
  const own = group('own', ['i-old', 'i-new', 'i-bare'], { NewInstancesProtectedFromScaleIn: true });
  for (const instance of own.Instances ?? []) instance.ProtectedFromScaleIn = instance.InstanceId !== 'i-bare';
  const seen = world({ groups: [own], instances: { 'i-old': launched('2026-11-23T09:59:59Z'), 'i-new': launched('2026-11-23T10:00:00Z'), 'i-bare': launched('2026-11-23T10:00:01Z') } });
  const { entry } = protectionOf(group('own', []));
  expect(entry).toMatchObject({ prior: 'false', ours: 'true' });
  await scaleInProtectionGuard.write(clientsOf(seen), { ...entry, at }, 'false');
  expect(seen.calls).toEqual(['protect new of own false', 'protect i-new false']);
});

it('stays on an instance that is on its way out; one that is not in service yet is awaited, for a while: Auto Scaling would refuse it for all', async () => {
  let own = group('own', ['i-new', 'i-going', 'i-booting'], { NewInstancesProtectedFromScaleIn: true });
  for (const instance of own.Instances ?? []) instance.ProtectedFromScaleIn = true;
  own = withLifecycle(withLifecycle(own, 'i-going', 'Terminating:Wait'), 'i-booting', 'Pending');
  const seen = world({ groups: [own], instances: Object.fromEntries(['i-new', 'i-going', 'i-booting'].map((id) => [id, launched('2026-11-23T10:00:01Z')])) });
  const entry = { ...protectionOf(group('own', [])).entry, at };
  await expect(scaleInProtectionGuard.write(clientsOf(seen), entry, 'false')).rejects.toMatchObject({ kind: 'Transient', code: 'Pending' });
  expect(seen.calls).toEqual(['protect new of own false', 'protect i-new false']);
  // The next attempt finds the group's own value back.
  const late = new MockActivityEnvironment({ scheduledTimestampMs: Date.now() - 301_000 });
  await late.run(() => Promise.resolve(scaleInProtectionGuard.dropped?.(clientsOf(seen), entry)));
  expect(seen.calls.slice(2)).toEqual(['protect i-new false']);
});

it('that a group gives its instances anyway is not ours', () => {
  const { now, entry } = protectionOf(group('own', [], { NewInstancesProtectedFromScaleIn: true }));
  expect(taking(now, undefined, entry).act).toBe('theirs');
});
