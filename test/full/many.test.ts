import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startLab } from '../../lab/index.js';
import type { Lab } from '../../lab/index.js';
import { Field } from '../support/field.js';
import { expectClean } from '../support/killing.js';

let field: Field | undefined;
let other: Lab | undefined;
afterEach(async () => {
  await field?.down();
  await other?.stop();
});

it('one worker migrates two clusters of two accounts at once, each by its own profile: nothing is process-wide', async () => {
  field = await Field.up({ nodes: 2 });
  other = await startLab({ name: `${field.lab.name}-b`, nodes: 2, ownerPid: process.pid });
  const config = join(field.folder, 'aws-config');
  const profile = (name: string, lab: Lab): string =>
    [`[profile ${name}]`, `region = ${lab.region}`, `endpoint_url = ${lab.awsEndpoint}`, 'aws_access_key_id = LABACCESSKEY', 'aws_secret_access_key = labsecretkey', ''].join('\n');
  writeFileSync(config, profile('a', field.lab) + profile('b', other));
  // The worker's own settings lead nowhere: a client that used them would fail.
  field.extraEnv = { AWS_CONFIG_FILE: config, AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
  field.startWorker();

  const kubeconfigs = { a: field.lab.frontKubeconfig, b: other.frontKubeconfig };
  for (const name of ['a', 'b'] as const) {
    const file = field.spec(name, { cluster: { kubeconfig: kubeconfigs[name], region: field.lab.region, aws: { profile: name } } });
    expect((await field.ciliate('start', '-f', file)).code).toBe(0);
  }
  const reports = await Promise.all([field.report('a'), field.report('b')]);
  expect(reports.map((report) => [report.migration, report.state, report.problem])).toEqual([
    ['a', 'done', null],
    ['b', 'done', null],
  ]);
  await expectClean(field);
  expect((await other.status()).violations).toEqual([]);
  const instances = (lab: Lab) => lab.status().then((status) => status.instances.length);
  expect(await instances(other)).toBeGreaterThanOrEqual(2);
});
