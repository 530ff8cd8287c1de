import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubernetesObjectApi } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetStatus } from '../../domain/fleet/status.js';
import type { Lab } from '../../lab/index.js';
import { clusterState } from '../support/clusterState.js';
import { anyChart, Field, labKube } from '../support/field.js';
import { expectClean } from '../support/killing.js';

/** The budget of a singleton that lets no pod go: the canary of this cluster cannot be drained. */
const STUCK = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'stuck', namespace: 'shop' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'stuck' } }, template: { metadata: { labels: { app: 'stuck' } }, spec: { containers: [{ name: 'c', image: 'registry.example/c:1' }] } } },
  },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'stuck', namespace: 'shop' }, spec: { minAvailable: 2, selector: { matchLabels: { app: 'stuck' } } } },
];

let field: Field;
let labs: Record<'one' | 'two' | 'three', Lab>;

describe('a fleet of three clusters', () => {
  beforeAll(async () => {
    field = await Field.up({ nodes: 2, region: 'eu-west-1' });
    const [two, three] = await Promise.all([field.beside({ nodes: 2, region: 'eu-central-1' }), field.beside({ nodes: 2, region: 'eu-north-1' })]);
    labs = { one: field.lab, two, three };
    const objects = KubernetesObjectApi.makeApiClient(labKube(two));
    for (const object of STUCK) await objects.create(object);
    field.useEnv(writeProfiles());
  });
  afterAll(() => field.down());

  const fleet = async (...args: string[]) => field.ciliate('fleet', ...args);
  const status = async (): Promise<FleetStatus> => JSON.parse((await fleet('status', 'night', '-o', 'json')).out) as FleetStatus;
  const line = (seen: FleetStatus, name: string) => seen.clusters.find((cluster) => cluster.name === name);

  it('goes on past one whose canary node cannot be drained, and past the death of its worker', async () => {
    field.startWorker();
    const started = await fleet('start', '-f', writeFleet());
    expect([started.code, started.err]).toEqual([0, '']);
    // The first cluster is in the middle of its work when the worker of all dies.
    await field.statusWhere('one', ({ inFlight }) => inFlight.length > 0, 240_000);
    await field.killWorker();
    field.startWorker();
    await field.statusWhere('two', ({ blocked }) => blocked.length > 0, 300_000);
    const seen = await until(status, (now) => line(now, 'one')?.state === 'done' && line(now, 'three')?.state === 'done');
    expect(line(seen, 'two')).toMatchObject({ state: 'blocked', phase: 'refresh' });
    expect(seen.budget).toEqual({ allowed: 1, failing: ['two'] });
    const page = await fleet('status', 'night');
    expect(page.out).toContain('failed or blocked (1, 1 may): two');
    expect(page.out).toContain('ciliate status two');
  });

  it('gave each its own id for good, of those that were free', async () => {
    const ids = (await status()).clusters.map(({ name, clusterId }) => [name, clusterId]);
    expect(Object.fromEntries(ids)).toEqual({ one: 11, two: 10, three: 12 });
    const { helm } = await clusterState({ lab: labs.three });
    expect(helm.values).toMatchObject({ cluster: { id: 12 } });
  });

  it('says so in the end, by name and by its exit code', async () => {
    expect((await field.ciliate('abort', 'two', '--reason', 'its owner mends the budget')).code).toBe(0);
    const { code, out, err } = await fleet('status', 'night', '--watch');
    expect(code).toBe(1);
    expect(err).toContain('1 of 3 clusters are not done: two (aborted)');
    expect(out).toContain('PARTIAL');
    const last = await status();
    expect(last).toMatchObject({ state: 'partial', rings: [{ name: 'canary', done: 1 }, { name: 'rest', done: 1, failed: 1 }] });
    for (const name of ['one', 'three'] as const) await expectClean({ lab: labs[name] });
  });

  function writeFleet(): string {
    const spec = (name: string, cluster: object, cilium: object = {}) => writeFileSync(join(field.folder, `${name}.yaml`), stringify({ apiVersion: 'ciliate.io/v1alpha1', kind: 'ClusterMigration', metadata: { name }, spec: { cluster, ...(Object.keys(cilium).length > 0 ? { cilium } : {}) } }));
    const by = (name: keyof typeof labs): object => ({ kubeconfig: labs[name].frontKubeconfig, region: labs[name].region, aws: { profile: name } });
    spec('one', by('one'));
    spec('two', by('two'), { clusterId: 10 });
    spec('three', { eks: { name: labs.three.clusterName, region: labs.three.region, profile: 'three' } });
    const file = join(field.folder, 'night.yaml');
    writeFileSync(
      file,
      stringify({
        apiVersion: 'ciliate.io/v1alpha1',
        kind: 'Fleet',
        metadata: { name: 'night' },
        spec: {
          defaults: { cilium: { version: '1.20.0', chart: anyChart() }, approvals: [], soakSeconds: 0, refresh: { canarySoakSeconds: 0 } },
          clusterIds: { from: 10, to: 20 },
          failureBudget: 1,
          windows: [{ days: ['mon-sun'], from: '00:00', to: '24:00', timeZone: 'Europe/Berlin' }],
          rings: [
            { name: 'canary', clusters: [{ file: 'one.yaml' }] },
            { name: 'rest', maxInFlight: 2, clusters: [{ file: 'two.yaml', overrides: { drain: { timeLimitSeconds: 5, onTimeout: 'wait' } } }, { file: 'three.yaml' }] },
          ],
        },
      }),
    );
    return file;
  }
});

async function until<T>(read: () => Promise<T>, is: (value: T) => boolean): Promise<T> {
  const end = Date.now() + 300_000;
  for (;;) {
    const value = await read();
    if (is(value)) return value;
    if (Date.now() > end) throw new Error(`never became what was awaited: ${JSON.stringify(value, null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Each lab has an AWS of its own: a profile each. */
function writeProfiles(): NodeJS.ProcessEnv {
  const files = { AWS_CONFIG_FILE: join(field.folder, 'aws-config'), AWS_SHARED_CREDENTIALS_FILE: join(field.folder, 'aws-credentials') };
  const profiles = Object.entries(labs);
  writeFileSync(files.AWS_CONFIG_FILE, profiles.map(([name, lab]) => `[profile ${name}]\nregion = ${lab.region}\nendpoint_url = ${lab.awsEndpoint}\n`).join('\n'));
  writeFileSync(files.AWS_SHARED_CREDENTIALS_FILE, profiles.map(([name, { env }]) => `[${name}]\naws_access_key_id = ${env['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = ${env['AWS_SECRET_ACCESS_KEY']}\n`).join('\n'));
  return files;
}
