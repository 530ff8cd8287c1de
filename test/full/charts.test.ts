import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Field, realChart } from '../support/field.js';
import { expectClean } from '../support/killing.js';
import { writeResults } from '../support/results.js';

const rows: Record<string, string | number>[] = [];
let field: Field | undefined;
afterEach(async () => {
  await field?.down();
  field = undefined;
});
afterAll(() =>
  writeResults('charts', {
    title: 'Whole migrations with real Cilium charts',
    about: ["Each real chart beside the checkout, installed by Helm on the lab's real API server; the agents themselves are imitated."],
    rows,
  }),
);

describe.each(['1.12.4', '1.15.19', '1.18.12', '1.20.0'])('chart %s', (version) => {
  const chart = realChart(version);
  it.skipIf(chart === undefined)(`migrates${chart ? '' : ` (no ../shared/charts/cilium-${version}.tgz here: skipped)`}`, async () => {
    field = await Field.up({ nodes: 2 });
    field.startWorker();
    const report = await field.migrate(field.spec('chart', { cilium: { version, chart, clusterName: 'chart', clusterId: 1 } }), 'chart');
    rows.push({ chart: version, outcome: report.state, problem: report.problem ?? '' });
    expect(report).toMatchObject({ state: 'done', problem: null });
    const state = await expectClean(field);
    expect(state.helm).toMatchObject({ revision: 3, status: 'deployed' });
  });
});
