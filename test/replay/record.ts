import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { CONNECT_MESH, CROSS_CLUSTER_POLICY, fleetWorkflowId, nodeWorkflowId, RUN_FLEET } from '../../domain/names.js';
import { update } from '../../starter/run/update.js';
import { CILIATE_VERSION } from '../../domain/version.js';
import { FakeCluster, failure, guardsHeldBeside, manifest } from '../workflow/fakeCluster.js';
import { FakeFleet, fleetInput } from '../workflow/fakeFleet.js';
import { meshFakes, meshOrder, policyFakes, policyInput } from '../workflow/fakeMesh.js';
import type { Fakes } from '../workflow/fakeMesh.js';
import { Harness, statusWhere } from '../workflow/harness.js';
import type { MigrationHandle } from '../workflow/harness.js';

/**
 * Records histories of this version: `npx tsx test/replay/record.ts`. A file that is there is never written again; a
 * release that changes workflows records new ones under its own version.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));
const me = { by: 'test', reason: 'because' };

const scenarios: Record<string, { cluster: FakeCluster; manifest: object; steps: (handle: MigrationHandle, cluster: FakeCluster) => Promise<unknown> }> = {
  done: {
    cluster: new FakeCluster(2),
    manifest: manifest('done', { approvals: ['before-install', 'after-canary'] }),
    steps: async (handle) => {
      for (const gate of ['before-install', 'after-canary']) {
        const { gate: open } = await statusWhere(handle, (status) => status.gate?.gate === gate);
        await handle.executeUpdate('approve', { args: [{ gate, digest: open?.digest, ...me }] });
      }
      return handle.result();
    },
  },
  'pause-mid-drain': {
    cluster: new FakeCluster(1),
    manifest: manifest('pause-mid-drain'),
    steps: async (handle, cluster) => {
      await statusWhere(handle, (status) => status.blocked.length > 0);
      await handle.signal('pause', me);
      await statusWhere(handle, (status) => status.inFlight[0]?.paused === true);
      cluster.blocked.clear();
      await handle.signal('resume', me);
      return handle.result();
    },
  },
  'many-paused': {
    cluster: new FakeCluster(12),
    manifest: manifest('many-paused', { refresh: { canary: false, maxUnavailable: 12 } }),
    steps: async (handle, cluster) => {
      await statusWhere(handle, (status) => status.blocked.length === 12);
      await handle.signal('pause', me);
      await statusWhere(handle, (status) => status.inFlight.filter(({ paused }) => paused).length === 12);
      cluster.blocked.clear();
      await handle.signal('resume', me);
      return handle.result();
    },
  },
  cancelled: {
    cluster: new FakeCluster(1),
    manifest: manifest('cancelled'),
    steps: async (handle) => {
      await statusWhere(handle, (status) => status.blocked.length > 0);
      await handle.cancel();
      return handle.result().catch(() => undefined);
    },
  },
  'failed-node': {
    cluster: new FakeCluster(1),
    manifest: manifest('failed-node'),
    steps: async (handle) => {
      await statusWhere(handle, (status) => status.blocked.length > 0);
      await handle.executeUpdate('retry', { args: [{ node: 'i-001', ...me }] });
      return handle.result();
    },
  },
  'aborted-surge': {
    cluster: new FakeCluster(2),
    manifest: manifest('aborted-surge', { refresh: { maxSurge: 2, maxUnavailable: 0, canary: false } }),
    steps: async (handle, cluster) => {
      await statusWhere(handle, (status) => status.blocked.length > 0);
      await handle.executeUpdate('abort', { args: [me] });
      cluster.blocked.clear();
      return handle.result();
    },
  },
  'failed-canary': {
    cluster: new FakeCluster(3),
    manifest: manifest('failed-canary'),
    steps: async (handle, cluster) => {
      await statusWhere(handle, (status) => status.state === 'paused');
      await handle.executeUpdate('resume', { args: [me] });
      cluster.bad.clear();
      return handle.result();
    },
  },
  crowded: {
    cluster: new FakeCluster(2),
    manifest: manifest('crowded', { drain: { timeLimitSeconds: 5 } }),
    steps: async (handle, cluster) => {
      await statusWhere(handle, ({ nodes }) => nodes.done === 1);
      cluster.crowded.clear();
      return handle.result();
    },
  },
  chain: {
    cluster: new FakeCluster(2),
    manifest: manifest('chain', { strategy: 'chain', drain: { timeLimitSeconds: 5 }, approvals: [] }),
    steps: async (handle, cluster) => {
      const { gate } = await statusWhere(handle, (status) => status.gate !== null);
      await handle.executeUpdate('approve', { args: [{ gate: 'accept-limits', digest: gate?.digest, ...me }] });
      await statusWhere(handle, () => cluster.restarted.length === 1);
      return handle.result();
    },
  },
  clean: {
    cluster: new FakeCluster(2),
    manifest: manifest('clean', { strategy: 'clean', approvals: [] }),
    steps: (handle) => handle.result(),
  },
  'failed-probe': {
    cluster: new FakeCluster(1),
    manifest: manifest('failed-probe', { probes: { network: {}, http: [{ url: 'http://shop.example.com' }] } }),
    steps: async (handle, cluster) => {
      await statusWhere(handle, (status) => status.state === 'paused');
      cluster.blocked.clear();
      return handle.result();
    },
  },
};
const chained = scenarios['chain']?.cluster;
if (chained) {
  chained.plan = { nodes: 0, limits: ['l7: limited'] };
  chained.owners = ['a', 'stuck'].map((name) => ({ kind: 'Deployment', namespace: 'shop', name }));
  chained.stuck.add('stuck');
  chained.block('lookRestarted');
}
scenarios['failed-canary']?.cluster.bad.add('i-001');
scenarios['crowded']?.cluster.crowded.add('i-001');
scenarios['aborted-surge']?.cluster.surge(2);
scenarios['aborted-surge']?.cluster.block('lookDrained');
scenarios['failed-probe']?.cluster.block('lookProbes', { object: 'Probe http http://shop.example.com', reason: 'expected a status from 200 to 299, saw status 503', todo: '' });
scenarios['pause-mid-drain']?.cluster.block('lookDrained');
scenarios['many-paused']?.cluster.block('lookDrained');
scenarios['cancelled']?.cluster.block('lookDrained');
scenarios['failed-node']?.cluster.fail('lookReplacement', failure('NeedsHuman', 'the label came back'));

/** Of the way back. */
const rollbacks: typeof scenarios = {
  done: {
    cluster: FakeCluster.migrated(2),
    manifest: manifest('done', { approvals: ['before-rollback'] }),
    steps: async (handle) => {
      const { gate } = await statusWhere(handle, (status) => status.gate !== null);
      await handle.executeUpdate('approve', { args: [{ gate: 'before-rollback', digest: gate?.digest, ...me }] });
      return handle.result();
    },
  },
  chain: {
    cluster: FakeCluster.chained(2),
    manifest: manifest('off-chain', { strategy: 'chain', approvals: ['before-rollback', 'after-canary'] }),
    steps: async (handle) => {
      for (const name of ['before-rollback', 'after-canary']) {
        const { gate } = await statusWhere(handle, (status) => status.gate?.gate === name);
        await handle.executeUpdate('approve', { args: [{ gate: name, digest: gate?.digest, ...me }] });
      }
      return handle.result();
    },
  },
  'ended-unconfined': {
    cluster: FakeCluster.migrated(1),
    manifest: manifest('ended-unconfined'),
    steps: (handle) => handle.result().catch(() => undefined),
  },
};
rollbacks['ended-unconfined']?.cluster.fail('restoreAwsNode', failure('NeedsHuman', 'nothing is saved'));

const harness = await Harness.start();
for (const [name, { cluster, manifest: input, steps }] of Object.entries(rollbacks)) {
  await harness.runRollback(cluster, input, async (handle) => {
    await steps(handle, cluster);
    await save(`rollbackCluster.${CILIATE_VERSION}.${name}`, handle.workflowId);
  });
}
for (const [name, scenario] of Object.entries(scenarios)) {
  await harness.run(scenario.cluster, scenario.manifest, async (handle) => {
    await scenario.steps(handle, scenario.cluster);
    await save(`migrateCluster.${CILIATE_VERSION}.${name}`, handle.workflowId);
    if (name !== 'chain') await save(`refreshNode.${CILIATE_VERSION}.${name}`, `cilium-migration/${name}/node/i-001`);
  });
}
await recordSpokenBeside();
await recordFleet();
await recordOther(CONNECT_MESH, meshOrder, meshFakes);
await recordOther(CROSS_CLUSTER_POLICY, policyInput('apply'), policyFakes);
await harness.stop();
await recordCarried();

/** Two rings with a gate between them, and a cluster that fails. */
async function recordFleet(): Promise<void> {
  const fleet = new FakeFleet(['f-a', 'f-b', 'f-c']);
  fleet.cluster('f-c').fail('restrictAwsNode', failure('Permanent', 'no'));
  const taskQueue = 'record-fleet';
  const worker = await harness.worker(fleet, taskQueue);
  const input = fleetInput('recorded', [{ name: 'canary', clusters: ['f-a'], gate: true }, { name: 'rest', clusters: ['f-b', 'f-c'] }], { failureBudget: 1 });
  const workflowId = fleetWorkflowId('recorded');
  await worker.runUntil(async () => {
    const handle = await harness.env.client.workflow.start(RUN_FLEET, { taskQueue, workflowId, args: [input] });
    for (let open: { ring: string; digest: string } | null = null; open === null; await new Promise((resolve) => setTimeout(resolve, 100))) {
      open = (await handle.query<{ gate: { ring: string; digest: string } | null }>('status').catch(() => ({ gate: null }))).gate;
      if (open !== null) await handle.executeUpdate('approve', { args: [{ gate: open.ring, digest: open.digest, ...me }] });
    }
    await handle.result().catch(() => undefined);
    await save(`runFleet.${CILIATE_VERSION}.gate`, workflowId);
  });
}

/** A pause while the guards of new nodes are looked at. */
async function recordSpokenBeside(): Promise<void> {
  const cluster = new FakeCluster(2);
  cluster.block('lookDrained');
  const { activities, looking, letGo } = guardsHeldBeside(cluster);
  await harness.run({ activities }, manifest('spoken-beside', { refresh: { canary: false } }), async (handle) => {
    await looking;
    await handle.executeUpdate('pause', { args: [me] });
    await statusWhere(handle, ({ inFlight }) => inFlight[0]?.paused === true);
    letGo();
    while (cluster.guards.has('changing')) await new Promise((resolve) => setTimeout(resolve, 100));
    cluster.blocked.clear();
    await handle.executeUpdate('resume', { args: [me] });
    await handle.result();
    await save(`migrateCluster.${CILIATE_VERSION}.spoken-beside`, handle.workflowId);
  });
}

async function recordOther(type: string, input: object, fakes: Fakes): Promise<void> {
  const taskQueue = `record-${type}`;
  const worker = await harness.worker({ activities: () => fakes }, taskQueue);
  await worker.runUntil(async () => {
    const handle = await harness.env.client.workflow.start(type, { taskQueue, workflowId: taskQueue, args: [input] });
    await handle.result();
    await save(`${type}.${CILIATE_VERSION}.done`, taskQueue);
  });
}

/** A run that adopts nodes in flight and continues as new with them, and a node that was hushed meanwhile. */
async function recordCarried(): Promise<void> {
  const server = await Harness.start(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=150']);
  const { client } = server.env;
  const cluster = new FakeCluster(24);
  cluster.holding.set('i-001', [{ uid: 'held', namespace: 'shop', name: 'db-0', owner: 'StatefulSet db', reason: 'PDB shop/db needs 1 healthy, has 1', since: '2026-01-01T00:00:00Z' }]);
  await server.run(cluster, manifest('carried', { refresh: { canary: false, maxUnavailable: 6 } }), async (handle) => {
    await statusWhere(server.newest(handle), ({ nodes, inFlight }) => nodes.done === 23 && inFlight.length === 1);
    await update(handle, 'skip', { node: 'i-001', ...me });
    await handle.result();
    const runs: string[] = [];
    for (let runId: string | undefined = (await client.workflow.getHandle(handle.workflowId).describe()).runId; runId; ) {
      runs.unshift(runId);
      const { events } = await client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
      runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined;
    }
    const middle = client.workflow.getHandle(handle.workflowId, runs[Math.floor(runs.length / 2)]);
    await save(`migrateCluster.${CILIATE_VERSION}.carried`, middle);
    // Before runs left their status with Temporal the one above was recorded, and the next was not.
    await save(`migrateCluster.${CILIATE_VERSION}.left-status`, middle);
    await save(`refreshNode.${CILIATE_VERSION}.carried`, client.workflow.getHandle(nodeWorkflowId('carried', 'i-001')));
  });
  await server.stop();
}

async function save(name: string, workflow: string | Pick<WorkflowHandle, 'fetchHistory'>): Promise<void> {
  const file = fileURLToPath(new URL(`./histories/${name}.json`, import.meta.url));
  if (existsSync(file)) return void console.log(`kept ${name}`);
  const history = await (typeof workflow === 'string' ? harness.env.client.workflow.getHandle(workflow) : workflow).fetchHistory();
  // Stack traces name the folder of the checkout.
  writeFileSync(file, historyToJSON(history).replaceAll(root, ''));
  console.log(`recorded ${name}: ${history.events?.length} events`);
}
