import { describe, expect, it } from 'vitest';
import { realChart } from '../support/field.js';
import { fieldsPerTest, resultRows } from '../support/fields.js';
import { expectClean } from '../support/killing.js';

const up = fieldsPerTest();
const rows = resultRows('charts', {
  title: 'Whole migrations with real Cilium charts',
  about: ["Each real chart beside the checkout, installed by Helm on the lab's real API server; the agents themselves are imitated."],
});

describe.each(['1.12.4', '1.15.19', '1.18.12', '1.20.0'])('chart %s', (version) => {
  const chart = realChart(version);
  it.skipIf(chart === undefined)(`migrates${chart ? '' : ` (no ../shared/charts/cilium-${version}.tgz here: skipped)`}`, async () => {
    const field = await up({ nodes: 2 });
    field.startWorker();
    const report = await field.migrate(field.spec('chart', { cilium: { version, chart, clusterName: 'chart', clusterId: 1 } }), 'chart');
    rows.push({ chart: version, outcome: report.state, problem: report.problem ?? '' });
    expect(report).toMatchObject({ state: 'done', problem: null });
    const state = await expectClean(field);
    expect(state.helm).toMatchObject({ revision: 3, status: 'deployed' });
  });
});
