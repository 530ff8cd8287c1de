import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectClean } from '../support/killing.js';
import { Field } from '../support/field.js';

let field: Field;

/** By EKS name and with a role of its own: endpoint, CA and token come from AWS, as in production. */
const byName = () => ({ cluster: { eks: { name: field.lab.clusterName, region: field.lab.region, roleArn: 'arn:aws:iam::123456789012:role/lab-admin' } } });

describe('a migration of a living cluster, by EKS name and role, whose VPC CNI is an EKS add-on', () => {
  beforeAll(async () => {
    field = await Field.up({ nodes: 4 });
    field.startWorker();
  });
  afterAll(() => field.down());

  it('has nothing to refuse, and says before anything is written what it would do', async () => {
    const plan = await field.ciliate('plan', '-f', field.spec('whole', byName()), '-o', 'json');
    expect(plan.err).toBe('');
    expect(plan.code).toBe(0);
    expect(JSON.parse(plan.out)).toMatchObject({ migration: 'whole', blocked: false, mode: 'migrate' });
  });

  it('goes through its gates by the command, ends done, and leaves nothing behind', async () => {
    const file = field.spec('whole', { ...byName(), approvals: ['before-install', 'after-canary', 'before-enforcement', 'before-removal'] });
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

  it('keeps credentials out of Temporal: no token and no key is in any history', async () => {
    const client = await field.client();
    for await (const { workflowId } of client.workflow.list()) {
      const text = historyToJSON(await client.workflow.getHandle(workflowId).fetchHistory());
      for (const secret of ['k8s-aws-v1.', 'client-key-data', field.lab.env['AWS_SECRET_ACCESS_KEY'] ?? 'none']) {
        expect(text.includes(secret)).toBe(false);
        // Payloads are base64 in a history; at each of the three alignments.
        for (const shift of [0, 1, 2]) expect(text.includes(Buffer.from(' '.repeat(shift) + secret).toString('base64').slice(4, -4))).toBe(false);
      }
    }
  });

  it('has a report for people, with the values for their own GitOps', async () => {
    const { out, code } = await field.ciliate('report', 'whole', '-o', 'markdown');
    expect(code).toBe(0);
    expect(out).toContain('policyEnforcementMode: default');
    expect(out).not.toContain('cni-plugin: aws');
  });

  it('finds nothing to do the second time', async () => {
    const report = await field.migrate(field.spec('whole', byName()), 'whole');
    expect(report).toMatchObject({ state: 'done', nodes: [] });
  });

  it('ends its worker by itself when that is told to stop with nothing in flight', async () => {
    expect(await field.stopWorker()).toMatch(/^ended with 0,/);
  });
});
