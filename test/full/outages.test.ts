import { expect, it } from 'vitest';
import type { MigrationReport } from '../../domain/status.js';
import type { LabOptions } from '../../lab/index.js';
import type { Field } from '../support/field.js';
import { fieldsPerTest, resultRows } from '../support/fields.js';
import { expectClean } from '../support/killing.js';

const up = fieldsPerTest();
const rows = resultRows('outages', {
  title: 'Outages and odd clusters',
  about: ['Each a whole migration on a lab of its own that must end done, with nothing left behind.'],
});

interface Case {
  name: string;
  lab?: LabOptions;
  during?: (field: Field) => Promise<void>;
}

const CASES: Case[] = [
  { name: 'the API server away for a minute', during: (on) => on.lab.faults.away('kubernetes', 60_000) },
  { name: 'kube-apiserver killed and back after 10 s', during: (on) => on.lab.faults.restartApiServer(10_000) },
  { name: 'AWS away for a minute', during: (on) => on.lab.faults.away('aws', 60_000) },
  { name: 'AWS throttling every call for a minute', during: async (on) => void (await on.lab.faults.add({ target: 'aws', throttle: true, until: Date.now() + 60_000 })) },
  { name: "Temporal's server killed three times", during: async (on) => {
    for (let i = 0; i < 3; i++) {
      await on.restartTemporal();
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    }
  } },
  { name: 'nobody deletes the Nodes of dead instances', lab: { cloudController: 'off' } },
  { name: 'a kubelet that adopts the old Node of its address', lab: { reuseAddress: true, staleNode: 'adopt', cloudController: 'slow', cloudControllerDelay: 2_000 } },
  { name: 'two groups', lab: { nodes: 4, groups: 2 } },
  { name: 'a cluster of one zone', lab: { zones: 1 } },
];

it.each(CASES)('$name', async ({ name, lab, during }) => {
  const field = await up({ nodes: 2, ...lab });
  field.startWorker();
  expect((await field.ciliate('start', '-f', field.spec('odd'))).code).toBe(0);
  await field.statusWhere('odd', (status) => status.phase === 'refresh', 180_000);
  await during?.(field);
  const report: MigrationReport = await field.report('odd');
  rows.push({ case: name, outcome: report.state, problem: report.problem ?? '' });
  expect(report).toMatchObject({ state: 'done', problem: null });
  await expectClean(field);
});
