import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeClusterCommand, EKSClient, TagResourceCommand } from '@aws-sdk/client-eks';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { migrationWorkflowId } from '../../domain/names.js';
import type { FleetStatus } from '../../domain/fleet/status.js';
import { anyChart } from '../support/field.js';
import { fieldsPerTest } from '../support/fields.js';
import { expectClean } from '../support/killing.js';

const up = fieldsPerTest();
const QUEUE = 'eu-private';
const MINUTE = 60_000;

it('a cluster found by its tag is migrated by a worker of its own queue, goes on while that of the fleet is dead, and holds between nodes when the window ends', async () => {
  const field = await up({ nodes: 8, bootDelay: 6_000 });
  const { clusterName, region } = field.lab;
  const eks = field.aws(EKSClient);
  const { cluster } = await eks.send(new DescribeClusterCommand({ name: clusterName }));
  await eks.send(new TagResourceCommand({ resourceArn: cluster?.arn, tags: { env: 'prod', cni: 'to-cilium' } }));

  field.startWorker();
  field.startWorkerOn(QUEUE);
  // It ends with a whole minute, soon enough that nodes are left, and opens again a minute later.
  const closes = Math.ceil((Date.now() + 45_000) / MINUTE) * MINUTE;
  const clock = (at: number): string => new Date(at).toISOString().slice(11, 16);
  const window = (from: number, to: number): object => ({ days: ['mon-sun'], from: clock(from), to: clock(to), timeZone: 'UTC' });
  const file = join(field.folder, 'tagged.yaml');
  const fleet = {
    apiVersion: 'ciliate.io/v1alpha1',
    kind: 'Fleet',
    metadata: { name: 'tagged' },
    spec: {
      defaults: { cilium: { version: '1.20.0', chart: anyChart() }, approvals: [], soakSeconds: 0, refresh: { canary: false } },
      windows: [window(closes - 120 * MINUTE, closes), window(closes + MINUTE, closes + 240 * MINUTE)],
      rings: [{ name: 'all', clusters: [{ select: { tags: { env: 'prod' }, accounts: [{ regions: [region] }] }, taskQueue: QUEUE }] }],
    },
  };
  writeFileSync(file, stringify(fleet));
  expect(await field.ciliate('fleet', 'start', '-f', file)).toMatchObject({ code: 0, err: '' });
  const status = async (): Promise<FleetStatus> => JSON.parse((await field.ciliate('fleet', 'status', 'tagged', '-o', 'json')).out) as FleetStatus;

  const before = await field.statusWhere(clusterName, ({ phase }) => phase === 'refresh', 120_000);
  expect(before.state).toBe('running');
  await field.killWorker();
  const { nodes } = await field.statusWhere(clusterName, (seen) => seen.nodes.done > before.nodes.done, 120_000);
  expect(nodes.done).toBeLessThan(8);
  field.startWorker();

  await expect.poll(async () => (await status()).window, { timeout: 180_000 }).toMatchObject({ open: false, until: new Date(closes + MINUTE).toISOString() });
  const held = await field.statusWhere(clusterName, ({ state, inFlight }) => state === 'paused' && inFlight.length === 0, 120_000);
  expect(held.nodes.done).toBeLessThan(8);
  expect((await status()).clusters).toMatchObject([{ name: clusterName, state: 'paused', taskQueue: QUEUE }]);

  const report = await field.report(clusterName);
  expect(report).toMatchObject({ state: 'done', problem: null });
  expect(Date.parse(report.endedAt ?? '')).toBeGreaterThan(closes + MINUTE);
  const client = await field.client();
  expect((await client.workflow.getHandle(migrationWorkflowId(clusterName)).describe()).taskQueue).toBe(QUEUE);
  const watched = await field.ciliate('fleet', 'status', 'tagged', '--watch');
  expect(watched).toMatchObject({ code: 0, err: '' });
  expect(await status()).toMatchObject({ state: 'done', rings: [{ name: 'all', done: 1 }] });
  await expectClean(field);
});
