import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppsV1Api, CoordinationV1Api, CoreV1Api } from '@kubernetes/client-node';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import type { Exposure } from '../../domain/spec/mesh.js';
import type { HelmValues } from '../../domain/spec/schema.js';
import type { Lab } from '../../lab/index.js';
import { Field, labKube } from './field.js';
import { writeProfiles } from './profiles.js';

const SYSTEM = 'kube-system';

/** Two clusters with networks of their own, migrated, with one Temporal, one worker and one command. */
export class MeshField {
  private constructor(
    readonly field: Field,
    readonly labs: Record<'c1' | 'c2', Lab>,
    readonly specs: Record<'c1' | 'c2', string>,
  ) {}

  static async up(version: string, chart: string): Promise<MeshField> {
    const field = await Field.up({ nodes: 2, vpcCidr: '10.0.0.0/16', workload: 'none' });
    try {
      const labs = { c1: field.lab, c2: await field.beside({ nodes: 2, vpcCidr: '10.1.0.0/16', workload: 'none' }) };
      field.useEnv(writeProfiles(field.folder, labs));
      field.startWorker();
      const spec = (name: 'c1' | 'c2', clusterId: number): string =>
        field.spec(name, {
          cluster: { kubeconfig: labs[name].frontKubeconfig, region: labs[name].region, aws: { profile: name } },
          // A lab's nodes masquerade, so that ipv4NativeRoutingCIDR matters.
          cilium: { version, chart, clusterName: `cluster-${clusterId}`, clusterId, masquerade: true },
          refresh: { canary: false },
        });
      const specs = { c1: spec('c1', 1), c2: spec('c2', 2) };
      const reports = await Promise.all([field.migrate(specs.c1, 'c1'), field.migrate(specs.c2, 'c2')]);
      for (const { state, problem } of reports) if (state !== 'done') throw new Error(`the migration ended ${state}: ${problem}`);
      return new MeshField(field, labs, specs);
    } catch (error) {
      await field.down();
      throw error;
    }
  }

  mesh(expose: Exposure): string {
    const file = join(this.field.folder, `mesh-${expose}.yaml`);
    writeFileSync(file, stringify({ apiVersion: 'ciliate.io/v1alpha1', kind: 'Mesh', metadata: { name: 'eu' }, spec: { clusters: [{ file: 'c1.yaml' }, { file: 'c2.yaml' }], expose } }));
    return file;
  }

  core(name: 'c1' | 'c2'): CoreV1Api {
    return labKube(this.labs[name]).makeApiClient(CoreV1Api);
  }

  /** Decoded data of a Secret in kube-system; undefined where it is not there. */
  async secret(name: 'c1' | 'c2', secret: string): Promise<Record<string, string> | undefined> {
    const found = await this.core(name).readNamespacedSecret({ namespace: SYSTEM, name: secret }).catch(() => undefined);
    return found && Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
  }

  /** Endpoints at which a cluster's KVStoreMesh looks for a peer. */
  async endpoints(name: 'c1' | 'c2', peer: string): Promise<string[]> {
    const entry = (await this.secret(name, 'cilium-kvstoremesh'))?.[peer];
    return entry === undefined ? [] : (parse(entry) as { endpoints: string[] }).endpoints;
  }

  async helmValues(name: 'c1' | 'c2'): Promise<HelmValues> {
    const { stdout } = await execa('helm', ['get', 'values', 'cilium', '-n', SYSTEM, '-o', 'json'], { env: this.labs[name].env });
    return JSON.parse(stdout) as HelmValues;
  }

  async lease(name: 'c1' | 'c2'): Promise<boolean> {
    const { items } = await labKube(this.labs[name]).makeApiClient(CoordinationV1Api).listNamespacedLease({ namespace: SYSTEM });
    return items.some(({ metadata }) => metadata?.name === 'ciliate');
  }

  async ledgerHasMesh(name: 'c1' | 'c2'): Promise<boolean> {
    const { data } = await this.core(name).readNamespacedConfigMap({ namespace: SYSTEM, name: 'ciliate-cni' });
    return data?.['mesh.json'] !== undefined;
  }

  /** A namespace with a Deployment whose pods carry app=NAME. */
  async deploy(name: 'c1' | 'c2', app: string): Promise<void> {
    await this.core(name).createNamespace({ body: { metadata: { name: app } } });
    const apps = labKube(this.labs[name]).makeApiClient(AppsV1Api);
    const template = { metadata: { labels: { app } }, spec: { containers: [{ name: 'app', image: 'app', ports: [{ containerPort: 8080 }] }] } };
    await apps.createNamespacedDeployment({ namespace: app, body: { metadata: { name: app }, spec: { replicas: 2, selector: { matchLabels: { app } }, template } } });
    const end = Date.now() + 60_000;
    while ((await apps.readNamespacedDeployment({ namespace: app, name: app })).status?.readyReplicas !== 2) {
      if (Date.now() > end) throw new Error(`the pods of ${app} do not become ready`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** What the AWS Load Balancer Controller would do, which no lab has: gives a Service of type LoadBalancer its name. */
  async balance(name: 'c1' | 'c2', hostname: string): Promise<void> {
    const end = Date.now() + 120_000;
    for (;;) {
      const service = await this.core(name).readNamespacedService({ namespace: SYSTEM, name: 'clustermesh-apiserver' }).catch(() => undefined);
      if (service?.spec?.type === 'LoadBalancer') {
        await this.core(name).replaceNamespacedServiceStatus({ namespace: SYSTEM, name: 'clustermesh-apiserver', body: { ...service, status: { loadBalancer: { ingress: [{ hostname }] } } } });
        return;
      }
      if (Date.now() > end) throw new Error('no Service of type LoadBalancer came');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  down(): Promise<void> {
    return this.field.down();
  }
}
