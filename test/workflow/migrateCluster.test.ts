import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { heartbeat } from '@temporalio/activity';
import type { Activities } from '../../activities/api.js';
import { GATES } from '../../domain/spec/words.js';
import type { MigrationReport } from '../../domain/status.js';
import { abortUpdate, approveSignal, approveUpdate, holdSignal, pauseSignal, pauseUpdate, reportQuery, resumeUpdate, retryUpdate, setUpdate, skipUpdate, unholdSignal } from '../../workflows/messages.js';
import { eventually } from '../support/poll.js';
import { FakeCluster, failure, guardsHeldBeside, manifest } from './fakeCluster.js';
import { Harness, statusWhere } from './harness.js';
import type { MigrationHandle } from './harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

const me = { by: 'test', reason: 'because' };

async function failed(handle: MigrationHandle): Promise<ApplicationFailure> {
  const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const cause = (error as WorkflowFailedError).cause;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  return cause as ApplicationFailure;
}

async function refused(update: Promise<unknown>): Promise<string> {
  const error: unknown = await update.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  return (error as WorkflowUpdateFailedError).cause?.message ?? '';
}

/** An activity that waits, and is not taken for dead. */
async function alive(over: () => boolean, atMostMs = Infinity): Promise<void> {
  for (const until = Date.now() + atMostMs; !over() && Date.now() < until; heartbeat()) await sleep(50);
}

describe.concurrent('a migration', () => {
  it('replaces every node, removes aws-node, gives everything back', async () => {
    const cluster = new FakeCluster(3);
    const report = await harness.run(cluster, manifest('happy'), (handle) => handle.result());
    expect(report.state).toBe('done');
    expect(report.nodes.map((node) => node.outcome)).toEqual(['refreshed', 'refreshed', 'refreshed']);
    expect(report.nodes.every((node) => node.evictedPods === 3)).toBe(true);
    expect(report.finalValues).toBe('phase: final\n');
    expect(cluster.snapshot()).toEqual({
      zones: ['zone-a cilium', 'zone-b cilium', 'zone-c cilium'],
      cordoned: 0,
      labelled: 0,
      awsNode: 'gone',
      cilium: 'final',
      revision: 3,
      lease: null,
      guards: [],
    });
    expect(cluster.violations).toEqual([]);
    expect(report.phases.map((phase) => phase.phase)).toEqual(
      ['preflight', 'take', 'guard', 'label', 'restrict', 'install', 'refresh', 'prove', 'enforce', 'soak', 'remove', 'finalise', 'give-back'],
    );
  });

  it('has nothing to do where all is done', async () => {
    const cluster = new FakeCluster(0);
    cluster.plan = { mode: 'done' };
    const report = await harness.run(cluster, manifest('idle'), (handle) => handle.result());
    expect(report.state).toBe('done');
    expect(cluster.calls).not.toContain('takeLease');
  });

  it('stops at a blocker before its first write', async () => {
    const cluster = new FakeCluster(1);
    cluster.plan = { blocked: true, findings: [{ id: 'ipv6', severity: 'blocker', objects: [], message: 'IPv6 cluster.', todo: 'None.' }] };
    const cause = await harness.run(cluster, manifest('blocked'), failed);
    expect(cause.message).toContain('ipv6: IPv6 cluster.');
    expect((cause.details?.[0] as MigrationReport).state).toBe('failed');
    expect(cluster.calls).toEqual(['temporalFacts', 'readManifest', 'preflight']);
  });

  it('refuses a manifest that does not fit, naming what is wrong', async () => {
    const cause = await harness.run(new FakeCluster(1), { kind: 'Other' }, failed);
    expect(cause.message).toContain('apiVersion');
  });

  it('fails with the holder when somebody else has the Lease, and gives back nothing that is not its own', async () => {
    const cluster = new FakeCluster(1);
    cluster.lease = 'other/ns/cilium-migration/x';
    const cause = await harness.run(cluster, manifest('held'), failed);
    expect(cause.message).toContain('other/ns/cilium-migration/x');
    expect(cluster.lease).toBe('other/ns/cilium-migration/x');
    expect(cluster.calls).not.toContain('giveBackGuards');
  });

  it('runs without search attributes where there are none', async () => {
    const cluster = new FakeCluster(1);
    cluster.searchAttributes = false;
    const report = await harness.run(cluster, manifest('bare'), (handle) => handle.result());
    expect(report.state).toBe('done');
  });
});

describe.concurrent('gates', () => {
  it('open in order, give the guards back meanwhile, and take only the digest they show', async () => {
    const cluster = new FakeCluster(2);
    const own = GATES.filter((gate) => gate !== 'before-rollback' && gate !== 'accept-limits');
    const report = await harness.run(cluster, manifest('gates', { approvals: own }), async (handle) => {
      for (const gate of own) {
        const { gate: open } = await statusWhere(handle, (status) => status.gate?.gate === gate);
        await eventually(() => expect(cluster.guards.has('changing')).toBe(false));
        expect(await refused(handle.executeUpdate(approveUpdate, { args: [{ gate, digest: 'stale', ...me }] }))).toContain('expected digest');
        await handle.executeUpdate(approveUpdate, { args: [{ gate, digest: open?.digest ?? '', ...me }] });
      }
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(report.audit.map((entry) => entry.on)).toEqual(own);
    expect(cluster.violations).toEqual([]);
  });

  it('open again when what they decide on changed before the approval was acted on', async () => {
    const cluster = new FakeCluster(1);
    await harness.run(cluster, manifest('moved', { approvals: ['before-install'] }), async (handle) => {
      await statusWhere(handle, (status) => status.gate !== null);
      cluster.plan = { installDigest: 'another' };
      await handle.executeUpdate(approveUpdate, { args: [{ gate: 'before-install', digest: 'install-digest', ...me }] });
      await statusWhere(handle, (status) => status.gate?.digest === 'another');
      expect(cluster.calls).not.toContain('takeLease');
      await handle.executeUpdate(approveUpdate, { args: [{ gate: 'before-install', digest: 'another', ...me }] });
      return handle.result();
    });
    expect(cluster.cilium).toBe('final');
  });

  it('take a signal that fits; one that does not is recorded and ignored', async () => {
    const cluster = new FakeCluster(1);
    const report = await harness.run(cluster, manifest('signals', { approvals: ['before-removal'] }), async (handle) => {
      const { gate } = await statusWhere(handle, (status) => status.gate !== null);
      await handle.signal(approveSignal, { gate: 'before-install', digest: 'x', ...me });
      await handle.signal(approveSignal, { nonsense: true } as never);
      await handle.signal(approveSignal, { gate: 'before-removal', digest: gate?.digest ?? '', ...me });
      return handle.result();
    });
    expect(report.audit.map((entry) => entry.ignored ?? null)).toEqual([expect.stringContaining('expected gate before-removal'), expect.stringContaining('expected a text'), null]);
  });
});

describe.concurrent('pause', () => {
  it('takes effect between nodes and lets the cluster breathe; a signal is enough', async () => {
    const cluster = new FakeCluster(2);
    cluster.block('lookTerminated');
    await harness.run(cluster, manifest('pause'), async (handle) => {
      await statusWhere(handle, (status) => status.inFlight[0]?.step === 'await-terminated');
      await handle.signal(pauseSignal, me);
      cluster.blocked.clear();
      const status = await statusWhere(handle, ({ state, inFlight, nodes }) => state === 'paused' && inFlight.length === 0 && nodes.done === 1);
      expect(status.counts.aws).toBe(1);
      await eventually(() => expect(cluster.guards.has('changing')).toBe(false));
      expect(await refused(handle.executeUpdate(pauseUpdate, { args: [me] }))).toContain('already paused');
      await handle.executeUpdate(resumeUpdate, { args: [me] });
      return handle.result();
    });
    expect(cluster.violations).toEqual([]);
  });

  it('stops a drain between evictions, and goes on from there', async () => {
    const cluster = new FakeCluster(1);
    cluster.block('lookDrained');
    await harness.run(cluster, manifest('pause-drain'), async (handle) => {
      const { blocked } = await statusWhere(handle, (status) => status.blocked.length > 0);
      expect(blocked[0]).toContain('PDB shop/cart needs 2 healthy, has 2');
      await handle.executeUpdate(pauseUpdate, { args: [me] });
      await statusWhere(handle, (status) => status.inFlight[0]?.paused === true);
      await eventually(() => expect(cluster.guards.has('changing')).toBe(false));
      cluster.blocked.clear();
      expect(cluster.nodes[0]?.instance).toBe('running');
      await handle.executeUpdate(resumeUpdate, { args: [me] });
      return handle.result();
    });
    expect(cluster.violations).toEqual([]);
  });

  it('is heard while the guards of new nodes are looked at', async () => {
    const cluster = new FakeCluster(2);
    cluster.block('lookDrained');
    const { activities, looking, letGo } = guardsHeldBeside(cluster);
    await harness.run({ activities }, manifest('pause-beside-guards', { refresh: { canary: false } }), async (handle) => {
      await looking;
      await handle.executeUpdate(pauseUpdate, { args: [me] });
      await statusWhere(handle, ({ inFlight }) => inFlight[0]?.paused === true);
      letGo();
      await eventually(() => expect(cluster.guards.has('changing')).toBe(false));
      cluster.blocked.clear();
      await handle.executeUpdate(resumeUpdate, { args: [me] });
      expect(await handle.result()).toMatchObject({ state: 'done' });
    });
    expect(cluster.violations).toEqual([]);
  });

  it('is no failure of a drain whose attempt ends before it hears of it: the server does not try that again', async () => {
    const cluster = new FakeCluster(1);
    const acts = cluster.activities();
    let cancelled: () => void = () => undefined;
    const deaf = new Promise<void>((resolve) => (cancelled = resolve));
    let attempts = 0;
    const lookDrained: typeof acts.lookDrained = async (request) => {
      if (++attempts > 1) return acts.lookDrained(request);
      await deaf;
      throw failure('NotYet', 'a pod may not go yet');
    };
    await harness.run({ activities: () => ({ ...acts, lookDrained }) }, manifest('deaf', { refresh: { canary: false } }), async (handle) => {
      await eventually(() => expect(attempts).toBe(1));
      await handle.executeUpdate(pauseUpdate, { args: [me] });
      const node = harness.env.client.workflow.getHandle('cilium-migration/deaf/node/i-001');
      await eventually(async () => expect((await node.fetchHistory()).events?.some((event) => event.activityTaskCancelRequestedEventAttributes)).toBe(true));
      cancelled();
      const { blocked } = await statusWhere(handle, ({ inFlight }) => inFlight[0]?.paused === true);
      expect(blocked).toEqual([]);
      await handle.executeUpdate(resumeUpdate, { args: [me] });
      expect(await handle.result()).toMatchObject({ state: 'done' });
    });
    expect(cluster.violations).toEqual([]);
  });

  it('lets a node rest whose drain failed for good: it goes on after resume and retry, not before', async () => {
    const cluster = new FakeCluster(1);
    cluster.fail('lookDrained', failure('Permanent', 'no right to evict'));
    const report = await harness.run(cluster, manifest('stuck-drain'), async (handle) => {
      await statusWhere(handle, ({ blocked }) => blocked.some((line) => line.includes('no right to evict')));
      await handle.executeUpdate(pauseUpdate, { args: [me] });
      await statusWhere(handle, ({ inFlight }) => inFlight[0]?.paused === true);
      await eventually(() => expect(cluster.guards.has('changing')).toBe(false));
      await handle.executeUpdate(retryUpdate, { args: [{ node: 'i-001', ...me }] });
      await handle.executeUpdate(resumeUpdate, { args: [me] });
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(cluster.violations).toEqual([]);
  });

  it('is what the run does itself where a person must decide; resume tries again', async () => {
    const cluster = new FakeCluster(1);
    cluster.fail('removeAwsNode', failure('NeedsHuman', 'something put aws-node back'));
    await harness.run(cluster, manifest('human'), async (handle) => {
      const status = await statusWhere(handle, ({ state }) => state === 'paused');
      expect(status.problem).toContain('put aws-node back');
      expect(status.paused?.by).toBe('ciliate');
      await handle.executeUpdate(resumeUpdate, { args: [me] });
      return handle.result();
    });
    expect(cluster.violations).toEqual([]);
  });

  it('is never what a run does between the restriction of aws-node and the installation: it fails, and unwinds', async () => {
    const cluster = new FakeCluster(1);
    cluster.fail('ensureCilium', failure('NeedsHuman', 'something took the affinity back'));
    const cause = await harness.run(cluster, manifest('unattended'), failed);
    expect(cause.message).toContain('took the affinity back');
    expect(cluster.snapshot()).toMatchObject({ cilium: 'none', awsNode: 'everywhere', labelled: 0, guards: [], lease: null });
  });
});

describe.concurrent('abort', () => {
  it('during a drain hands the node back as it was found', async () => {
    const cluster = new FakeCluster(2);
    cluster.block('lookDrained');
    const report = await harness.run(cluster, manifest('abort'), async (handle) => {
      await statusWhere(handle, (status) => status.blocked.length > 0);
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return handle.result();
    });
    expect(report.state).toBe('aborted');
    expect(report.nodes.map((node) => node.outcome)).toEqual(['handed-back']);
    expect(cluster.nodes.map((node) => node.instance)).toEqual(['running', 'running']);
    expect(cluster.snapshot()).toMatchObject({ cordoned: 0, lease: null, guards: [], awsNode: 'restricted' });
  });

  it('after a termination still sees the replacement through', async () => {
    const cluster = new FakeCluster(2);
    cluster.block('lookReplacement');
    const report = await harness.run(cluster, manifest('abort-late'), async (handle) => {
      await statusWhere(handle, (status) => status.inFlight[0]?.step === 'await-replacement');
      await handle.executeUpdate(abortUpdate, { args: [me] });
      await statusWhere(handle, (status) => status.state === 'aborting');
      cluster.blocked.clear();
      return handle.result();
    });
    expect(report.nodes.map((node) => node.outcome)).toEqual(['refreshed']);
    expect(cluster.snapshot()).toMatchObject({ lease: null, guards: [] });
  });

  it('while a step is retried for ever ends it; nothing ran Cilium, so the install is unwound', async () => {
    const cluster = new FakeCluster(1);
    cluster.block('lookCilium');
    const report = await harness.run(cluster, manifest('abort-install'), async (handle) => {
      await statusWhere(handle, (status) => status.phase === 'install' && status.blocked.length > 0);
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return handle.result();
    });
    expect(report.state).toBe('aborted');
    expect(cluster.snapshot()).toMatchObject({ cilium: 'none', awsNode: 'everywhere', labelled: 0, guards: [], lease: null });
  });

  it('is what Cancel in the UI does; the run ends cancelled and its report can be asked for', async () => {
    const cluster = new FakeCluster(1);
    cluster.block('lookDrained');
    await harness.run(cluster, manifest('cancel'), async (handle) => {
      await statusWhere(handle, (status) => status.blocked.length > 0);
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      expect((await handle.query(reportQuery)).nodes.map((node) => node.outcome)).toEqual(['handed-back']);
    });
    expect(cluster.snapshot()).toMatchObject({ cordoned: 0, lease: null, guards: [] });
  });

  it('of the node too when the migration is terminated: its parent gone, it is handed back', async () => {
    const cluster = new FakeCluster(1);
    cluster.block('lookDrained');
    await harness.run(cluster, manifest('terminated'), async (handle) => {
      const status = await statusWhere(handle, ({ blocked }) => blocked.length > 0);
      await handle.terminate('test');
      const node = status.inFlight[0]?.node;
      await harness.env.client.workflow.getHandle(`cilium-migration/terminated/node/${node?.instanceId}`).result();
    });
    expect(cluster.nodes[0]).toMatchObject({ cordoned: false, instance: 'running' });
  });
});

describe.concurrent('a node that will not go', () => {
  it('is skipped: the run ends partial and the same start goes on from there', async () => {
    const cluster = new FakeCluster(2);
    cluster.block('lookDrained');
    const first = await harness.run(cluster, manifest('skip'), async (handle) => {
      await statusWhere(handle, (status) => status.blocked.length > 0);
      expect(await refused(handle.executeUpdate(retryUpdate, { args: [{ node: 'nobody', ...me }] }))).toContain('ip-10-0-0-0');
      await handle.executeUpdate(skipUpdate, { args: [{ node: 'ip-10-0-0-0', ...me }] });
      await statusWhere(handle, (status) => status.inFlight[0]?.node.name === 'ip-10-0-0-1');
      cluster.blocked.clear();
      return handle.result();
    });
    expect(first.state).toBe('partial');
    expect(first.nodes.map((node) => node.outcome)).toEqual(['handed-back', 'refreshed']);
    expect(cluster.snapshot()).toMatchObject({ labelled: 1, awsNode: 'restricted', cilium: 'migration', lease: null, guards: [] });

    const second = await harness.run(cluster, manifest('skip'), (handle) => handle.result());
    expect(second.state).toBe('done');
    expect(cluster.snapshot()).toMatchObject({ labelled: 0, awsNode: 'gone', cilium: 'final' });
    expect(cluster.violations).toEqual([]);
  });

  it('waits for a retry where a failure is for good', async () => {
    const cluster = new FakeCluster(1);
    cluster.fail('lookReplacement', failure('NeedsHuman', 'the label cni-plugin=aws came back on ip-10-0-0-0'));
    const report = await harness.run(cluster, manifest('retry'), async (handle) => {
      const status = await statusWhere(handle, ({ blocked }) => blocked.length > 0);
      expect(status.blocked[0]).toContain('came back');
      await handle.executeUpdate(retryUpdate, { args: [{ node: 'ip-10-0-0-0', ...me }] });
      return handle.result();
    });
    expect(report.state).toBe('done');
  });

  it('is left alone when it is labelled but runs Cilium: a person must look', async () => {
    const cluster = new FakeCluster(1);
    cluster.nodes[0]!.labelled = true;
    cluster.nodes[0]!.cni = 'cilium';
    cluster.awsNode = 'restricted';
    const report = await harness.run(cluster, manifest('on-cilium'), async (handle) => {
      const { blocked } = await statusWhere(handle, (status) => status.blocked.length > 0);
      expect(blocked[0]).toContain('on-cilium');
      await handle.executeUpdate(skipUpdate, { args: [{ node: 'i-001', ...me }] });
      return handle.result();
    });
    expect(report.state).toBe('partial');
    expect(report.nodes.map((node) => node.outcome)).toEqual(['handed-back']);
    expect(cluster.nodes[0]).toMatchObject({ instance: 'running', cordoned: false });
    expect(cluster.violations).toEqual([]);
  });
});

describe.concurrent('settings', () => {
  it('change under way: a soak of a day ends when it is set to nothing', async () => {
    const cluster = new FakeCluster(1);
    const report = await harness.run(cluster, manifest('soak', { soakSeconds: 86_400, refresh: { canarySoakSeconds: 0 } }), async (handle) => {
      await statusWhere(handle, (status) => status.phase === 'soak');
      expect(await refused(handle.executeUpdate(setUpdate, { args: [{ values: { nonsense: '1' }, by: 'test' }] }))).toContain('soakSeconds');
      await handle.executeUpdate(setUpdate, { args: [{ values: { soakSeconds: '0' }, by: 'test' }] });
      return handle.result();
    });
    expect(report.state).toBe('done');
  });
});

describe.concurrent('a pool', () => {
  const surge = { maxSurge: 4, maxUnavailable: 0 };

  it('has one canary alone, then 1, 2, 4 … nodes in flight, each exactly once', async () => {
    const cluster = new FakeCluster(14);
    const report = await harness.run(cluster, manifest('ramp', { refresh: surge }), (handle) => handle.result());
    expect(report.state).toBe('done');
    expect(cluster.widest).toBe(4);
    expect(new Set(report.nodes.map(({ node }) => node.instanceId)).size).toBe(14);
    expect(report.nodes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 14 }, () => 'refreshed'));
    expect(cluster.violations).toEqual([]);
  });

  it('without a canary begins with all that the limits allow', async () => {
    const cluster = new FakeCluster(5);
    await harness.run(cluster, manifest('wide', { refresh: { ...surge, canary: false } }), (handle) => handle.result());
    expect(cluster.widest).toBe(4);
  });

  it('starts others while some are in flight, where answers take longer than it takes another to end', async () => {
    const cluster = new FakeCluster(60);
    const acts = cluster.activities();
    const begun: string[] = [];
    /** So many of the first forty may end: another one while each answer is under way. */
    let mayEnd = 1;
    /** In flight when the first of the others began. */
    let beside: number | undefined;
    const activities: Activities = {
      ...acts,
      admitNodes: async (request) => {
        if (begun.length >= 40 && beside === undefined) {
          await alive(() => false, 300);
          mayEnd += 1;
          await alive(() => false, 2_700);
        }
        return acts.admitNodes(request);
      },
      lookDrained: async (request) => {
        const { instanceId } = request.node;
        if (!begun.includes(instanceId)) begun.push(instanceId);
        if (begun.length > 40) beside ??= 40 - mayEnd;
        await alive(() => beside !== undefined || (begun.length >= 40 && begun.indexOf(instanceId) < mayEnd));
        return acts.lookDrained(request);
      },
    };
    const report = await harness.run({ activities: () => activities }, manifest('slow-answers', { refresh: { canary: false, maxUnavailable: 40 } }), (handle) => handle.result());
    expect(report).toMatchObject({ state: 'done', tally: { refreshed: 60 } });
    expect(beside).toBeGreaterThan(20);
    expect(cluster.violations).toEqual([]);
  });

  it('is set under way, and refuses to stand still', async () => {
    const cluster = new FakeCluster(6);
    cluster.block('lookDrained');
    await harness.run(cluster, manifest('set', { refresh: { canary: false } }), async (handle) => {
      await statusWhere(handle, ({ inFlight }) => inFlight.length === 1);
      expect(await refused(handle.executeUpdate(setUpdate, { args: [{ values: { maxUnavailable: '0' }, by: 'test' }] }))).toContain('nothing could ever move');
      await handle.executeUpdate(setUpdate, { args: [{ values: { maxSurge: '50%' }, by: 'test' }] });
      await statusWhere(handle, ({ inFlight }) => inFlight.length === 4);
      cluster.blocked.clear();
      return handle.result();
    });
    expect(cluster.violations).toEqual([]);
  });

  it('pauses itself when its canary fails, says why, and goes on by itself when that went well after all', async () => {
    const cluster = new FakeCluster(3);
    cluster.block('lookReplacement', { object: 'Node new', reason: 'is not Ready', todo: 'look at it' });
    const report = await harness.run(cluster, manifest('trip'), async (handle) => {
      const status = await statusWhere(handle, ({ state }) => state === 'paused');
      expect(status.problem).toMatch(/a node failed as canary: .*is not Ready/);
      cluster.blocked.clear();
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(report.audit.map(({ verb, by }) => `${verb} ${by}`)).toEqual(['pause ciliate', 'resume ciliate']);
  });

  it('pauses itself when a probe fails after its canary, and goes on by itself once it holds', async () => {
    const cluster = new FakeCluster(3);
    cluster.block('lookProbes', { object: 'Probe http shop', reason: 'expected a status from 200 to 299, saw status 503', todo: 'curl -i' });
    const report = await harness.run(cluster, manifest('probed', { probes: { http: [{ name: 'shop', url: 'http://shop.example.com' }], network: {} } }), async (handle) => {
      const status = await statusWhere(handle, ({ state }) => state === 'paused');
      expect(status.problem).toMatch(/a node failed as canary: .*Probe http shop: .*saw status 503/);
      expect(status.inFlight.map(({ step }) => step)).toEqual(['await-probes']);
      cluster.blocked.clear();
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(report.audit.map(({ verb, by }) => `${verb} ${by}`)).toEqual(['pause ciliate', 'resume ciliate']);
    expect(cluster.calls.filter((name) => name === 'endProbes')).toHaveLength(3);
    expect(report.nodes.every(({ seconds }) => seconds['await-probes'] !== undefined)).toBe(true);
  });

  it('lets go of a node whose probe fails as soon as it is aborted, and ends the probe', async () => {
    const cluster = new FakeCluster(2);
    cluster.block('lookProbes', { object: 'Probe http shop', reason: 'saw status 503', todo: 'curl -i' });
    const report = await harness.run(cluster, manifest('unheld', { probes: { http: [{ name: 'shop', url: 'http://shop.example.com' }], network: {} } }), async (handle) => {
      await statusWhere(handle, ({ state }) => state === 'paused');
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return handle.result();
    });
    expect(report.state).toBe('aborted');
    expect(report.nodes).toEqual([expect.objectContaining({ outcome: 'unproven', why: expect.stringContaining('its probes did not hold') as unknown, replacement: expect.anything() as unknown })]);
    expect(cluster.calls.filter((name) => name === 'endProbes')).toHaveLength(1);
  });

  it('asks for no probe where the spec has none', async () => {
    const cluster = new FakeCluster(2);
    await harness.run(cluster, manifest('unprobed'), (handle) => handle.result());
    expect(cluster.calls.filter((name) => name.endsWith('Probes'))).toEqual([]);
  });

  it('goes on through as many failures in a row as the spec allows', async () => {
    const cluster = new FakeCluster(4);
    cluster.block('lookReplacement', { object: 'Node new', reason: 'is not Ready', todo: 'look at it' });
    const refresh = { maxUnavailable: 4, canary: false, failuresInARow: { later: 5 } };
    const report = await harness.run(cluster, manifest('patient', { refresh }), async (handle) => {
      const status = await statusWhere(handle, ({ blocked }) => blocked.length === 4);
      expect(status.state).toBe('running');
      cluster.blocked.clear();
      return handle.result();
    });
    expect(report.audit).toEqual([]);
    expect(report.state).toBe('done');
  });

  it('that has paused itself is not resumed by nodes that never failed', async () => {
    const cluster = new FakeCluster(9);
    const bad = ['i-001', 'i-002', 'i-003'];
    for (const id of bad) cluster.bad.add(id);
    // The fourth is past its termination, and well, when the third fails.
    cluster.block('lookWorkloads', { firm: false });
    const report = await harness.run(cluster, manifest('row', { refresh: { maxUnavailable: 4, canary: false } }), async (handle) => {
      const paused = await statusWhere(handle, ({ state, inFlight }) => state === 'paused' && inFlight.length === 4);
      expect(paused.problem).toMatch(/nodes in a row failed: .*is not Ready/);
      cluster.blocked.clear();
      const later = await statusWhere(handle, ({ inFlight }) => inFlight.length === 3);
      expect(later).toMatchObject({ state: 'paused', nodes: { done: 1 } });
      await eventually(() => expect(cluster.guards.has('changing')).toBe(false));
      cluster.bad.delete('i-002');
      await statusWhere(handle, ({ state, nodes }) => state === 'running' && nodes.done > 2);
      cluster.bad.clear();
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(report.audit.map(({ verb, by }) => `${verb} ${by}`)).toEqual(['pause ciliate', 'resume ciliate']);
    expect(cluster.violations).toEqual([]);
  });

  it('that a person has resumed goes on beside those that fail, counted once each', async () => {
    const cluster = new FakeCluster(8);
    for (const id of ['i-001', 'i-002', 'i-003']) cluster.bad.add(id);
    // A success between them would begin the row anew.
    cluster.block('lookWorkloads', { firm: false });
    const report = await harness.run(cluster, manifest('resumed', { refresh: { maxUnavailable: 4, canary: false } }), async (handle) => {
      await statusWhere(handle, ({ state, inFlight }) => state === 'paused' && inFlight.length === 4);
      cluster.blocked.clear();
      await handle.executeUpdate(resumeUpdate, { args: [me] });
      await statusWhere(handle, ({ state, nodes, inFlight }) => state === 'running' && nodes.done === 5 && inFlight.length === 3);
      await Promise.all(['i-001', 'i-002', 'i-003'].map((node) => handle.executeUpdate(skipUpdate, { args: [{ node, ...me }] })));
      cluster.bad.clear();
      return handle.result();
    });
    expect(report.audit.map(({ verb, by }) => `${verb} ${by}`)).toEqual(['pause ciliate', 'resume test', 'skip test', 'skip test', 'skip test']);
    expect(report.tally).toMatchObject({ refreshed: 8 });
  });

  it('that a fleet held while its canary failed stops for that when it is let go of: nobody has seen it yet', async () => {
    const cluster = new FakeCluster(3);
    cluster.block('lookReplacement', { firm: false });
    const report = await harness.run(cluster, manifest('held', { refresh: { maxUnavailable: 2 } }), async (handle) => {
      await statusWhere(handle, ({ inFlight }) => inFlight[0]?.step === 'await-replacement');
      await handle.signal(holdSignal, me);
      cluster.bad.add('i-001');
      await statusWhere(handle, ({ blocked }) => blocked.length > 0);
      await handle.signal(unholdSignal, me);
      const paused = await statusWhere(handle, ({ state, problem }) => state === 'paused' && problem !== null);
      expect(paused.problem).toMatch(/a node failed as canary/);
      expect(paused.inFlight).toHaveLength(1);
      cluster.blocked.clear();
      cluster.bad.clear();
      return handle.result();
    });
    expect(report.state).toBe('done');
    expect(report.audit.map(({ verb, by }) => `${verb} ${by}`)).toEqual(['hold test', 'unhold test', 'pause ciliate', 'resume ciliate']);
  });

  it('pauses itself where one that fails leaves no room for another, whatever the row allows', async () => {
    const cluster = new FakeCluster(3);
    const report = await harness.run(cluster, manifest('full', { refresh: { canary: false } }), async (handle) => {
      cluster.bad.add('i-001');
      const paused = await statusWhere(handle, ({ state }) => state === 'paused');
      expect(paused.problem).toMatch(/a node failed, and no more may be missing: .*is not Ready/);
      await eventually(() => expect(cluster.guards.has('changing')).toBe(false));
      cluster.bad.clear();
      return handle.result();
    });
    expect(report.audit.map(({ verb, by }) => `${verb} ${by}`)).toEqual(['pause ciliate', 'resume ciliate']);
    expect(report.state).toBe('done');
  });

  it('hands every node back that it can when it is aborted', async () => {
    const cluster = new FakeCluster(6);
    cluster.block('lookDrained');
    const report = await harness.run(cluster, manifest('abort-pool', { refresh: { ...surge, canary: false } }), async (handle) => {
      await statusWhere(handle, ({ inFlight }) => inFlight.length === 4);
      await handle.executeUpdate(abortUpdate, { args: [me] });
      return handle.result();
    });
    expect(report.state).toBe('aborted');
    expect(report.nodes.map(({ outcome }) => outcome)).toEqual(['handed-back', 'handed-back', 'handed-back', 'handed-back']);
    expect(cluster.snapshot()).toMatchObject({ cordoned: 0, guards: [], lease: null });
  });
});
