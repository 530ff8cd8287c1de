import { expect, it } from 'vitest';
import { migrationWorkflowId } from '../../domain/names.js';
import { fieldsPerTest, resultRows } from '../support/fields.js';
import { expectClean } from '../support/killing.js';
import { BRIEF, migrateCounted, scaledName } from '../support/scale/lab.js';
import { AIMS, expectWithinAims, watchRun } from '../support/scale/watchRun.js';

/** How many nodes; the whole is 1,000. */
const NODES = Number(process.env['CILIATE_LAB_NODES'] ?? 1_000);
const IN_FLIGHT = Math.min(50, Math.ceil(NODES / 4));
// A quarter of what the controller manager does here is to collect garbage, and the API server's share is as big: there is memory enough.
process.env['GOGC'] ??= '400';
/** Two at a time, as the chart has it, agents of a thousand nodes would take half an hour to roll: any operator raises it. */
const ROLLING = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } } };
const VALUES = { ...ROLLING, envoy: ROLLING };

const up = fieldsPerTest();
const rows = resultRows('lab-scale', {
  title: 'Scale: a big cluster on the lab',
  about: [
    'Six pods a node, on the lab: API server, etcd, scheduler, controllers, AWS, Temporal and the worker share the machine, so seconds are those of the machine. The lab',
    'steps back for the others (nice 19), and collects garbage less often (GOGC=400): an API server in AWS has machines of its own.',
    'Calls are the worker\'s, counted while nodes are refreshed. The status is asked for twice a second from beginning to end.',
    AIMS,
  ],
});

it(
  `${NODES} nodes, ${IN_FLIGHT} in flight`,
  async () => {
    const field = await up({ nodes: NODES, groups: Math.ceil(NODES / 450), workload: 6 * NODES, readyTimeout: 600_000, ...BRIEF });
    const migrating = migrateCounted(field, { nodes: NODES, inFlight: IN_FLIGHT, values: VALUES });
    const client = await field.client();
    const workflowId = migrationWorkflowId(scaledName(NODES));
    await expect.poll(() => client.workflow.getHandle(workflowId).describe().then(() => true, () => false), { timeout: 60_000 }).toBe(true);
    const seen = await watchRun(client, { migration: scaledName(NODES), say: console.log });
    const migrated = await migrating;
    rows.push({ ...migrated, ...seen });
    expect(migrated.outcome).toBe('done');
    // Before the aims: one that is missed must not hide what is left over.
    await expectClean(field);
    expectWithinAims({ ...seen, ...migrated });
  },
  9_000_000,
);
