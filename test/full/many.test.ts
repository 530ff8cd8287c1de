import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultRule, Lab } from '../../lab/index.js';
import { Field } from '../support/field.js';
import { expectClean } from '../support/killing.js';
import { writeProfiles } from '../support/profiles.js';

const ROLE = 'arn:aws:iam::123456789012:role/lab-admin';
/** They do nothing but count, in both AWS fronts: every call, and the calls of each profile. */
const TRIPWIRES: FaultRule[] = [
  { id: 'all', target: 'aws' },
  { id: 'one', target: 'aws', client: 'app/account-one' },
  { id: 'two', target: 'aws', client: 'app/account-two' },
];

let field: Field;
let labs: Record<'one' | 'two', Lab>;

/**
 * Two clusters in two regions of two "AWS", side by side: a call at the wrong endpoint finds neither cluster nor group nor
 * instance. And each profile names itself in the User-Agent, so that the fronts know whose each call was.
 */
describe('one worker with two accounts, told apart by their profiles only', () => {
  beforeAll(async () => {
    field = await Field.up({ region: 'eu-west-1', groups: [{ name: 'ones', desired: 2 }] });
    labs = { one: field.lab, two: await field.beside({ region: 'eu-central-1', groups: [{ name: 'twos', desired: 2 }] }) };
    for (const lab of Object.values(labs)) await Promise.all(TRIPWIRES.map((rule) => lab.faults.add(rule)));
    field.useEnv(writeProfiles(field.folder, labs));
    field.startWorker();
  });
  afterAll(() => field.down());

  it('has neither endpoint nor region nor keys in its environment', () => {
    expect(Object.keys(field.env).filter((name) => name.startsWith('AWS_')).sort()).toEqual(['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']);
  });

  it('migrates both at the same time, one by kubeconfig, one by EKS name and with a role', async () => {
    const { one, two } = labs;
    const files = [
      field.spec('one', { cluster: { kubeconfig: one.frontKubeconfig, region: one.region, aws: { profile: 'one' } } }),
      field.spec('two', { cluster: { eks: { name: two.clusterName, region: two.region, profile: 'two', roleArn: ROLE } } }),
    ];
    for (const { code, err } of await Promise.all(files.map((file) => field.ciliate('start', '-f', file)))) expect([code, err]).toEqual([0, '']);
    const reports = await Promise.all(['one', 'two'].map((name) => field.report(name)));
    for (const report of reports) {
      expect(report).toMatchObject({ state: 'done', problem: null });
      expect(report.nodes.map((node) => node.outcome)).toEqual(['refreshed', 'refreshed']);
    }
    // As strings of ISO 8601: the last start is before the first end.
    expect(reports.map((report) => report.startedAt).sort()[1]?.localeCompare(reports.map((report) => report.endedAt ?? '').sort()[0] ?? '')).toBe(-1);
  });

  it.each(['one', 'two'] as const)('sends every call for %s to its account, and no other there', async (name) => {
    const { faults } = labs[name];
    const { all, one, two } = Object.fromEntries((await faults.rules()).map((rule) => [rule.id, rule.matches]));
    expect({ one, two }).toEqual({ one: 0, two: 0, [name]: all });
    const counts = await faults.counts();
    expect(counts).toMatchObject({ 'aws autoscaling TerminateInstanceInAutoScalingGroup': 2 });
    expect('aws sts AssumeRole' in counts).toBe(name === 'two');
  });

  it.each(['one', 'two'] as const)('leaves %s clean', async (name) => {
    const state = await expectClean({ lab: labs[name] });
    expect(state.agents).toEqual({ awsNode: false, cilium: '2/2' });
  });
});
