import { readFileSync } from 'node:fs';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectClean } from '../support/killing.js';
import { Field } from '../support/field.js';

let field: Field;

describe('a migration of a living cluster whose VPC CNI is an EKS add-on', () => {
  beforeAll(async () => {
    field = await Field.up({ nodes: 4 });
    field.startWorker();
  });
  afterAll(() => field.down());

  it('has nothing to refuse, and says before anything is written what it would do', async () => {
    const plan = await field.ciliate('plan', '-f', field.spec('whole'), '-o', 'json');
    expect(plan.err).toBe('');
    expect(plan.code).toBe(0);
    expect(JSON.parse(plan.out)).toMatchObject({ migration: 'whole', blocked: false, mode: 'migrate' });
  });

  it('goes through its gates by the command, ends done, and leaves nothing behind', async () => {
    const file = field.spec('whole', { approvals: ['before-install', 'after-canary', 'before-enforcement', 'before-removal'] });
    expect((await field.ciliate('start', '-f', file)).code).toBe(0);
    const again = await field.ciliate('start', '-f', file);
    expect(again.code).toBe(1);
    expect(again.err).toContain('cilium-migration/whole');
    for (const gate of ['before-install', 'after-canary', 'before-enforcement', 'before-removal']) {
      await field.statusWhere('whole', (status) => status.gate?.gate === gate);
      const early = await field.ciliate('approve', 'whole', gate === 'before-removal' ? 'before-install' : 'before-removal', '--reason', 'wrong gate');
      expect(early.code).toBe(1);
      const approved = await field.ciliate('approve', 'whole', gate, '--reason', 'seen');
      expect(approved.code, approved.err).toBe(0);
    }
    const report = await field.report('whole');
    expect(report.problem).toBeNull();
    expect(report.state).toBe('done');
    expect(report.nodes.map((node) => node.outcome)).toEqual(['refreshed', 'refreshed', 'refreshed', 'refreshed']);
    expect(report.audit.filter((entry) => entry.verb === 'approve').map((entry) => entry.on)).toEqual(['before-install', 'after-canary', 'before-enforcement', 'before-removal']);
    const state = await expectClean(field);
    expect(state.agents).toEqual({ awsNode: false, cilium: '4/4' });
    expect(state.helm).toMatchObject({ revision: 3, status: 'deployed' });
    expect(state.addons).not.toContain('vpc-cni');
  });

  it('keeps credentials out of Temporal: no token of the kubeconfig is in the history', async () => {
    const token = (parse(readFileSync(field.lab.frontKubeconfig, 'utf8')) as { users: { user: { token: string } }[] }).users[0]?.user.token ?? '';
    expect(token.length).toBeGreaterThan(10);
    const history = await (await field.client()).workflow.getHandle('cilium-migration/whole').fetchHistory();
    const text = Buffer.from(historyToJSON(history));
    expect(text.includes(token)).toBe(false);
    expect(text.includes(Buffer.from(token).toString('base64'))).toBe(false);
  });

  it('has a report for people, with the values for their own GitOps', async () => {
    const { out, code } = await field.ciliate('report', 'whole', '-o', 'markdown');
    expect(code).toBe(0);
    expect(out).toContain('policyEnforcementMode: default');
    expect(out).not.toContain('cni-plugin: aws');
  });

  it('finds nothing to do the second time', async () => {
    const report = await field.migrate(field.spec('whole'), 'whole');
    expect(report).toMatchObject({ state: 'done', nodes: [] });
  });
});
