import type { V1DaemonSet } from '@kubernetes/client-node';
import { EKSServiceException } from '@aws-sdk/client-eks';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { restrictAwsNode, rolloutBlockers, setPlacement } from '../../../activities/kubernetes/awsNode.js';
import type { PatchOp } from '../../../activities/kubernetes/patch.js';

const ROLLING = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '10%' } };
const daemonSet = (over: V1DaemonSet['spec'] | object = {}, status: V1DaemonSet['status'] | object = {}): V1DaemonSet =>
  ({
    metadata: { name: 'aws-node', namespace: 'kube-system', uid: 'u', resourceVersion: '7', generation: 2 },
    spec: { selector: {}, template: { spec: { containers: [] } }, updateStrategy: ROLLING, ...over },
    status: { observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 0, numberAvailable: 3, numberMisscheduled: 0, currentNumberScheduled: 3, numberReady: 3, ...status },
  }) as V1DaemonSet;

/** A self-managed aws-node; what is patched is kept. */
function selfManaged(live: V1DaemonSet): { clients: Clients; patches: PatchOp[][] } {
  const patches: PatchOp[][] = [];
  const apps = {
    readNamespacedDaemonSet: () => Promise.resolve(live),
    patchNamespacedDaemonSet: ({ body }: { body: PatchOp[] }) => (patches.push(body), Promise.resolve(live)),
  };
  const eks = { send: () => Promise.reject(new EKSServiceException({ name: 'ResourceNotFoundException', $fault: 'client', $metadata: {} })) };
  return { clients: { ref: { eks: { name: 'c', region: 'r' } }, kube: { apps }, aws: { eks } } as unknown as Clients, patches };
}

const strategyOps = (ops: PatchOp[] = []) => ops.filter(({ path }) => path === '/spec/updateStrategy');

describe('a self-managed aws-node', () => {
  it('is confined and stops rolling in one patch, which holds only while both are what was read', async () => {
    const { clients, patches } = selfManaged(daemonSet());
    expect(await restrictAwsNode(clients)).toEqual({ how: 'patched' });
    expect(patches).toHaveLength(1);
    expect(strategyOps(patches[0])).toEqual([
      { op: 'test', path: '/spec/updateStrategy', value: ROLLING },
      { op: 'add', path: '/spec/updateStrategy', value: { type: 'OnDelete' } },
    ]);
    expect(JSON.stringify(patches[0])).toContain('"key":"cni-plugin","operator":"In","values":["aws"]');
    // Every test stands before the first change.
    const ops = patches[0]?.map(({ op }) => op) ?? [];
    expect(ops.lastIndexOf('test')).toBeLessThan(ops.findIndex((op) => op !== 'test'));
  });

  it('keeps an OnDelete of its own', async () => {
    const { clients, patches } = selfManaged(daemonSet({ updateStrategy: { type: 'OnDelete' } }));
    await restrictAwsNode(clients);
    expect(strategyOps(patches[0])).toEqual([]);
  });

  it('gets its strategy back with its affinity; one that is not known stays', async () => {
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'cni-plugin', operator: 'In', values: ['aws'] }] }] } } };
    const confined = daemonSet({ updateStrategy: { type: 'OnDelete' }, template: { spec: { containers: [], affinity } } });
    const known = selfManaged(confined);
    await setPlacement(known.clients, confined, { affinity: undefined, updateStrategy: ROLLING });
    expect(known.patches[0]?.filter(({ op }) => op !== 'test')).toEqual([
      { op: 'remove', path: '/spec/template/spec/affinity' },
      { op: 'add', path: '/spec/updateStrategy', value: ROLLING },
    ]);
    const lost = selfManaged(confined);
    await setPlacement(lost.clients, confined, { affinity: undefined, updateStrategy: undefined });
    expect(strategyOps(lost.patches[0])).toEqual([]);
  });
});

describe('the rollout of a DaemonSet', () => {
  const reasons = (...of: Parameters<typeof daemonSet>): string[] => rolloutBlockers(daemonSet(...of), 'DaemonSet').map(({ reason }) => reason);

  it('is awaited where it rolls', () => {
    expect(reasons()).toEqual(['0 of 3 pods are up to date']);
    expect(reasons({}, { updatedNumberScheduled: 3 })).toEqual([]);
  });

  it('is none under OnDelete; that the rest holds is awaited all the same', () => {
    const updateStrategy = { type: 'OnDelete' };
    expect(reasons({ updateStrategy })).toEqual([]);
    expect(reasons({ updateStrategy }, { observedGeneration: 1 })).toEqual(['its newest state is not observed yet']);
    expect(reasons({ updateStrategy }, { numberAvailable: 2 })).toEqual(['2 of 3 pods are available']);
    expect(reasons({ updateStrategy }, { numberMisscheduled: 1 })).toEqual(['1 pods run on nodes that should not have one']);
  });
});
