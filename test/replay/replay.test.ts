import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleWorkflows } from '../support/bundle.js';

const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

interface HistoryJson {
  events: { eventType: string; activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[];
}

let workflowBundle: WorkflowBundleOption;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  workflowBundle = await bundleWorkflows();
});

function read(name: string): HistoryJson {
  return JSON.parse(readFileSync(`${folder}${name}`, 'utf8')) as HistoryJson;
}

/** Histories are only ever added: each was made by a released version, and every later version must replay it. */
describe('every recorded history replays on the workflows of today', () => {
  it('there are some, of each workflow', () => {
    for (const workflow of ['migrateCluster', 'rollbackCluster', 'refreshNode', 'runFleet', 'connectMesh', 'crossClusterPolicy']) expect(files.some((name) => name.startsWith(`${workflow}.`))).toBe(true);
  });

  it.each(files)('%s', async (name) => {
    await Worker.runReplayHistory({ workflowBundle }, historyFromJSON(read(name)), 'replayed');
  });

  it('and one that was tampered with does not: the check can fail', async () => {
    const history = read(files.find((name) => name.startsWith('migrateCluster.')) ?? '');
    const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes?.activityType.name === 'takeLease');
    if (scheduled?.activityTaskScheduledEventAttributes) scheduled.activityTaskScheduledEventAttributes.activityType.name = 'somethingElse';
    await expect(Worker.runReplayHistory({ workflowBundle }, historyFromJSON(history), 'tampered')).rejects.toThrow(DeterminismViolationError);
  });
});
