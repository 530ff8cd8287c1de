import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { createAll, pathOf } from './cluster/apply.js';
import { awsNodeObjects } from './cluster/awsnode.js';
import { ControlPlane, kubeconfigYaml } from './cluster/controlplane.js';
import { systemObjects, workloadObjects } from './cluster/workload.js';
import { FaultEngine } from './faults/engine.js';
import { AwsFront } from './front/aws.js';
import { ControlServer } from './front/control.js';
import { KubernetesFront } from './front/kubernetes.js';
import { TokenReviewer } from './front/tokens.js';
import { Glue } from './glue/glue.js';
import { condition } from './glue/types.js';
import { groupSpecs, zoneNames } from './options.js';
import type { ResolvedOptions } from './options.js';
import { assetsRoot } from './paths.js';
import { Service, until } from './process/service.js';
import type { LabState } from './state.js';

export interface RuntimeConfig {
  dir: string;
  bin: string;
  python: string;
  options: ResolvedOptions;
  progress: (line: string) => void;
}

/** The AWS account of every lab. */
export const account = '123456789012';

/** Everything that a lab runs, put together and taken apart. */
export class Runtime {
  private readonly faults = new FaultEngine();
  private readonly adminToken = randomBytes(24).toString('base64url');
  private control: ControlServer | undefined;
  private plane: ControlPlane | undefined;
  private aws: Service | undefined;
  private awsFront: AwsFront | undefined;
  private front: KubernetesFront | undefined;
  private glue: Glue | undefined;

  constructor(private readonly config: RuntimeConfig) {}

  /** Starts all of it; what it returns goes into the lab's state. */
  async start(): Promise<Partial<LabState>> {
    const { dir, options, bin, progress } = this.config;
    mkdirSync(path.join(dir, 'logs'), { recursive: true });
    const log = (line: string): void => appendFileSync(path.join(dir, 'logs', 'glue.log'), `${new Date().toISOString()} ${line}\n`);
    const pki = path.join(dir, 'pki');
    progress('making keys and certificates');
    await execa(this.config.python, [path.join(assetsRoot(), 'aws', 'pki.py'), pki]);

    const reviewer = new TokenReviewer({ clusterName: options.name, options });
    this.control = new ControlServer({ faults: this.faults, reviewer, cut: (target) => (target === 'aws' ? this.awsFront?.cut() : this.front?.cut()) });
    const controlUrl = await this.control.listen();
    this.front = new KubernetesFront({ pki, faults: this.faults });
    const frontServer = await this.front.listen();

    progress('starting etcd, kube-apiserver, controllers, scheduler, kwok and AWS');
    this.plane = new ControlPlane({ dir, bin, pki, options, tokenReviewUrl: `${controlUrl}/authenticate`, adminToken: this.adminToken, log });
    const [awsPort] = await Promise.all([this.startAws(frontServer, pki), this.plane.start()]);
    reviewer.awsPort = awsPort;
    this.front.target(this.plane.port);
    this.awsFront = new AwsFront({ port: awsPort, faults: this.faults });
    const awsEndpoint = await this.awsFront.listen();

    progress('control plane is ready: putting nodes and workloads into it');
    this.glue = new Glue({ client: this.plane.client, awsPort, clusterName: options.name, options, log });
    this.control.attach({ glue: this.glue, plane: this.plane, awsPort });
    this.glue.start();
    await this.installCni();
    if (options.karpenter > 0) await this.glue.karpenter.install(options.karpenter);
    writeFileSync(path.join(dir, 'kubeconfig'), this.plane.kubeconfig('admin'), { mode: 0o600 });
    const ca = readFileSync(path.join(pki, 'ca.crt')).toString('base64');
    writeFileSync(path.join(dir, 'front.kubeconfig'), kubeconfigYaml({ name: options.name, server: frontServer, ca, user: { token: this.adminToken } }), { mode: 0o600 });
    return { controlUrl, awsEndpoint, apiServer: `https://127.0.0.1:${String(this.plane.port)}`, frontServer };
  }

  /** All instances are Ready Nodes and all pods run. */
  async untilReady(timeout: number): Promise<void> {
    const end = Date.now() + timeout;
    await this.reach(() => this.missingNodes(), end);
    // Only now: pods that come while one node is ready would all go there.
    const client = this.plane?.client;
    if (client !== undefined) await createAll(client, this.workload(), 'kubectl-client-side-apply');
    await this.reach(() => this.missingPods(), end);
  }

  private async reach(missing: () => string, end: number): Promise<void> {
    let seen = '';
    let told = 0;
    await until(
      () => {
        const now = missing();
        if (now !== seen && now !== '' && Date.now() - told > 2000) {
          told = Date.now();
          this.config.progress(`waiting: ${now}`);
        }
        seen = now;
        return Promise.resolve(now === '');
      },
      end - Date.now(),
      () => `the cluster does not get ready: ${seen}`,
    );
  }

  pids(): Record<string, number | undefined> {
    return { ...this.plane?.pids(), aws: this.aws?.pid };
  }

  async stop(): Promise<void> {
    this.glue?.stop();
    await Promise.all([this.aws?.stop(), this.plane?.stop(), this.control?.close(), this.front?.close(), this.awsFront?.close()]);
  }

  private missingNodes(): string {
    const world = this.glue?.world;
    const wanted = this.wantedNodes();
    if (world === undefined || !world.complete) return 'nothing seen yet';
    const nodes = [...world.nodes.values()].filter((node) => condition(node, 'Ready')?.status === 'True').length;
    return nodes < wanted ? `${String(nodes)} of ${String(wanted)} nodes Ready` : '';
  }

  private missingPods(): string {
    const pods = [...(this.glue?.world.pods.values() ?? [])].filter((pod) => pod.metadata.deletionTimestamp === undefined);
    const running = pods.filter((pod) => pod.status?.phase === 'Running').length;
    // Fewer pods than that means that the controllers have not got to it yet.
    const least = this.wantedNodes() * 2 + this.replicas();
    return pods.length < least || running < pods.length ? `${String(running)} of ${String(Math.max(least, pods.length))} pods Running` : '';
  }

  private wantedNodes(): number {
    return groupSpecs(this.config.options).reduce((sum, group) => sum + group.desired, this.config.options.karpenter);
  }

  private workload(): ReturnType<typeof workloadObjects> {
    return [...systemObjects(this.config.options), ...workloadObjects(this.config.options)];
  }

  private replicas(): number {
    return this.workload().reduce((sum, object) => sum + Number((object['spec'] as { replicas?: number } | undefined)?.replicas ?? 0), 0);
  }

  private async startAws(apiEndpoint: string, pki: string): Promise<number> {
    const { dir, options } = this.config;
    const portFile = path.join(dir, 'aws.port');
    const configFile = path.join(dir, 'aws.json');
    const environment = Object.keys(options.awsNodeEnv).length > 0 ? JSON.stringify({ env: options.awsNodeEnv }) : '';
    writeFileSync(
      configFile,
      JSON.stringify({
        account,
        region: options.region,
        vpcCidr: options.vpcCidr,
        clusterName: options.name,
        kubernetesVersion: '1.36',
        zones: zoneNames(options),
        groups: groupSpecs(options),
        apiEndpoint,
        caData: readFileSync(path.join(pki, 'ca.crt')).toString('base64'),
        awsNode: options.awsNode,
        vpcCniVersion: options.vpcCniVersion,
        vpcCniConfiguration: environment,
        addonDelay: options.addonDelay,
        pendingDelay: Math.min(200, options.bootDelay),
        instanceTerminationDelay: options.instanceTerminationDelay,
        reuseAddress: options.reuseAddress,
        egress: options.egress,
        portFile,
      }),
    );
    this.aws = new Service({
      name: 'aws',
      command: this.config.python,
      args: [path.join(assetsRoot(), 'aws', 'server.py'), configFile],
      logFile: path.join(dir, 'logs', 'aws.log'),
      env: { PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' },
    });
    this.aws.start();
    const service = this.aws;
    await until(() => Promise.resolve(existsSync(portFile)), 60_000, () => `the AWS stand-in does not come up: ${service.lastWords()}`);
    return Number(readFileSync(portFile, 'utf8'));
  }

  private async installCni(): Promise<void> {
    const { options } = this.config;
    const client = this.plane?.client;
    if (client === undefined) return;
    const role = options.awsNode === 'addon' ? `arn:aws:iam::${account}:role/lab-vpc-cni` : '';
    const configuration = Object.keys(options.awsNodeEnv).length > 0 ? JSON.stringify({ env: options.awsNodeEnv }) : '';
    const cni = awsNodeObjects({ version: options.vpcCniVersion, configuration, role, clusterName: options.name, region: options.region });
    await until(() => client.get('/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical').then(() => true), 30_000, () => 'no priority classes');
    if (options.awsNode === 'addon') {
      for (const object of cni) await client.apply(pathOf(object), object, { manager: 'eks', force: true });
    } else await createAll(client, cni, 'kubectl-client-side-apply');
  }
}
