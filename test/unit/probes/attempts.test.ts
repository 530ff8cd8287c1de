import { toCilium } from '../../../domain/directions/toCilium.js';
import { ApiException } from '@kubernetes/client-node';
import type { V1Job, V1Node, V1Pod } from '@kubernetes/client-node';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { networkProbe } from '../../../activities/probes/network.js';
import { PART_LABEL } from '../../../activities/probes/network/jobs.js';
import { probesSchema } from '../../../domain/spec/probes.js';

const spec = probesSchema.parse({ network: {} }).network;
if (spec === undefined) throw new Error('no spec');
const node = { name: 'gone', uid: 'uid-gone', instanceId: 'i-gone', group: 'workers', zone: 'a' };
const notFound = () => Promise.reject(new ApiException(404, 'not found', {}, {}));
const nodeOf = (name: string, labels: Record<string, string>): V1Node => ({ metadata: { name, labels }, spec: {}, status: { conditions: [{ type: 'Ready', status: 'True' }] } });

let nodes: V1Node[];
let jobs: V1Job[];
let pods: V1Pod[];
let ledger: Record<string, string> | undefined;
let made: string[];
let uids = 0;
beforeEach(() => {
  nodes = [nodeOf('new', {}), nodeOf('old-1', { 'cni-plugin': 'aws' })];
  jobs = [];
  pods = [];
  ledger = undefined;
  made = [];
});

/** As much of an API server as the probe asks. The garbage collector takes pods with their Job. */
const kube = {
  core: {
    readNode: ({ name }: { name: string }) => nodes.find(({ metadata }) => metadata?.name === name) ?? notFound(),
    listNode: () => Promise.resolve({ items: nodes.filter(({ metadata }) => metadata?.labels?.['cni-plugin'] === 'aws') }),
    listNamespacedPod: () => Promise.resolve({ items: pods }),
    readNamespacedConfigMap: () => (ledger === undefined ? notFound() : Promise.resolve({ metadata: { uid: 'u', resourceVersion: '1' }, data: ledger })),
    createNamespacedConfigMap: ({ body }: { body: { data: Record<string, string> } }) => Promise.resolve(void (ledger = body.data)),
    replaceNamespacedConfigMap: ({ body }: { body: { data: Record<string, string> } }) => Promise.resolve(void (ledger = body.data)),
  },
  batch: {
    listNamespacedJob: () => Promise.resolve({ items: jobs }),
    createNamespacedJob: ({ body }: { body: V1Job }) => {
      if (ledger === undefined) throw new Error('a Job before its entry in the ledger');
      made.push(body.metadata?.labels?.[PART_LABEL] ?? '');
      jobs.push({ ...body, metadata: { ...body.metadata, uid: `job-${++uids}` } });
      return Promise.resolve();
    },
    deleteNamespacedJob: ({ name, body }: { name: string; body: { preconditions: { uid: string } } }) => {
      jobs = jobs.filter(({ metadata }) => metadata?.name !== name || metadata.uid !== body.preconditions.uid);
      pods = pods.filter(({ metadata }) => metadata?.ownerReferences?.[0]?.uid !== body.preconditions.uid);
      return Promise.resolve();
    },
  },
};
const clients = { kube } as unknown as Clients;
const pass = async () => {
  const { lacks, notes } = await networkProbe.pass({ clients, direction: toCilium, node, replacement: 'new' }, spec);
  return { lacks: lacks.map(({ object, reason }) => `${object}: ${reason}`), notes };
};

const partOf = (job: V1Job): string => job.metadata?.labels?.[PART_LABEL] ?? '';
/** The kubelet and the Job controller: every pod that is not there yet runs; those that ask end with these words. */
function play(words: Record<string, string> = {}, endedAt = new Date()): void {
  for (const job of jobs) {
    const part = partOf(job);
    const said = words[part];
    const state = said === undefined ? { running: {} } : { terminated: { exitCode: said.includes('failed') ? 1 : 0, message: said } };
    pods = pods.filter(({ metadata }) => metadata?.labels?.[PART_LABEL] !== part);
    pods.push({
      metadata: { name: `${job.metadata?.name}-x`, labels: { [PART_LABEL]: part }, ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: '', uid: job.metadata?.uid ?? '' }] },
      status: { phase: said === undefined ? 'Running' : 'Succeeded', podIP: `10.0.0.${part.endsWith('old') ? 1 : 2}`, conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [{ name: 'probe', image: '', imageID: '', ready: true, restartCount: 0, state }] },
    });
    if (said !== undefined) job.status = { conditions: [{ type: said.includes('failed') ? 'Failed' : 'Complete', status: 'True', lastTransitionTime: endedAt }] };
  }
}
const good = 'ok pods\nok dns\nok api';
const bad = 'failed pods 0 of 65536 bytes\nok dns\nok api';
const lately = () => new Date();
const longAgo = () => new Date(Date.now() - 60_000);

describe('an attempt', () => {
  it('makes servers first, ledger before that, and those who ask once there is somebody to ask', async () => {
    expect((await pass()).lacks).toEqual(['Probe network of new: its Jobs were just created']);
    expect(made).toEqual(['serve-new', 'serve-old']);
    expect(Object.keys(ledger ?? {})).toHaveLength(1);
    expect((await pass()).lacks[0]).toMatch(/has no pod yet/);
    play();
    await pass();
    expect(made.slice(2)).toEqual(['ask-new', 'ask-old']);
    const peers = jobs.flatMap((job) => job.spec?.template.spec?.containers[0]?.env?.flatMap(({ name, value }) => (name === 'PEER' ? [`${partOf(job)} ${value}`] : [])) ?? []);
    expect(peers).toEqual(['ask-new 10.0.0.1', 'ask-old 10.0.0.2']);
    play({ 'ask-new': good, 'ask-old': good });
    expect(await pass()).toEqual({ lacks: [], notes: [] });
    expect(made).toHaveLength(4);
  });

  it('that failed is shown, begun again a while later, and not forgotten meanwhile', async () => {
    await pass();
    play();
    await pass();
    play({ 'ask-new': good, 'ask-old': bad }, lately());
    const failed = ['Probe network: pod traffic old-to-new: expected 64 KiB from a pod on new to a pod on old-1, saw 0 of 65536 bytes'];
    expect((await pass()).lacks).toEqual(failed);
    expect(made).toHaveLength(4);
    play({ 'ask-new': good, 'ask-old': bad }, longAgo());
    expect((await pass()).lacks).toEqual(failed);
    expect(made.slice(4)).toEqual(['serve-new', 'serve-old']);
    play();
    expect((await pass()).lacks).toEqual(failed);
    play({ 'ask-new': good, 'ask-old': good });
    expect((await pass()).lacks).toEqual([]);
  });

  it('is begun again with another node when its old one goes, and never counts as passed for that', async () => {
    await pass();
    play();
    nodes = [nodeOf('new', {}), nodeOf('old-2', { 'cni-plugin': 'aws' })];
    expect((await pass()).lacks).toHaveLength(1);
    expect(jobs.map(({ metadata }) => metadata?.annotations?.['ciliate.io/probe-old-node'])).toEqual(['old-2', 'old-2']);
  });

  it('checks what can be checked where no old node is left, and says so', async () => {
    nodes = [nodeOf('new', {}), { ...nodeOf('old-1', { 'cni-plugin': 'aws' }), spec: { unschedulable: true } }];
    await pass();
    expect(made).toEqual(['ask-new']);
    play({ 'ask-new': 'ok dns\nok api' });
    expect(await pass()).toEqual({ lacks: [], notes: [expect.stringContaining('no old node any more') as string] });
  });

  it('without results has failed: a Job that ran out of time, a pod that ended without a word', async () => {
    await pass();
    play();
    await pass();
    play({ 'ask-new': good, 'ask-old': '' });
    expect((await pass()).lacks).toHaveLength(3);
    play({ 'ask-new': good }, longAgo());
    for (const job of jobs.filter((each) => partOf(each) === 'ask-old')) job.status = { conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded', lastTransitionTime: longAgo() }] };
    pods = pods.filter(({ metadata }) => metadata?.labels?.[PART_LABEL] !== 'ask-old');
    expect((await pass()).lacks).toEqual(['Probe network of new: the attempt ended without its results (Failed: DeadlineExceeded)']);
    expect(made.slice(4)).toEqual(['serve-new', 'serve-old']);
  });

  it('says what a pod waits for: the scheduler\'s words', async () => {
    await pass();
    play();
    for (const pod of pods) pod.status = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: '0/2 nodes are available: Too many pods.' }] };
    expect((await pass()).lacks[0]).toMatch(/serve-new-x is Pending: 0\/2 nodes are available: Too many pods\./);
  });

  it('is made of nothing where no replacement was due', async () => {
    expect(await networkProbe.pass({ clients, direction: toCilium, node, replacement: null }, spec)).toMatchObject({ lacks: [], notes: [expect.any(String) as string] });
    expect(made).toEqual([]);
  });
});
