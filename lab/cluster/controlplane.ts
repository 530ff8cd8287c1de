import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { groupSpecs } from '../options.js';
import type { ResolvedOptions } from '../options.js';
import { freePorts } from '../process/ports.js';
import { Service, until } from '../process/service.js';
import { KubeClient, isStatus } from './client.js';
import { kubeletLabel, kwokStages } from './stages.js';

/** A lab with more nodes lives at a calmer pulse. */
const MANY_NODES = 100;

export interface ControlPlaneConfig {
  dir: string;
  bin: string;
  pki: string;
  options: ResolvedOptions;
  /** URL that answers TokenReviews. */
  tokenReviewUrl: string;
  adminToken: string;
  log: (line: string) => void;
}

/** etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok of one lab, each kept running. */
export class ControlPlane {
  port = 0;
  private services: Record<'etcd' | 'apiserver' | 'controllers' | 'scheduler' | 'kwok', Service> | undefined;
  client!: KubeClient;

  constructor(private readonly config: ControlPlaneConfig) {}

  /** Starts all five; tries other ports when one was taken in the meantime. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.startOnce();
        return;
      } catch (error) {
        await this.stop();
        const { apiserver, etcd } = this.services ?? {};
        const words = `${apiserver?.lastWords(40) ?? ''} ${etcd?.lastWords(40) ?? ''}`;
        if (attempt >= 3 || !words.includes('address already in use')) throw error;
        this.config.log('a port was taken: trying others');
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.services ?? {}).map((service) => service.stop()));
  }

  pids(): Record<string, number | undefined> {
    return Object.fromEntries(Object.entries(this.services ?? {}).map(([name, service]) => [name, service.pid]));
  }

  /**
   * Kills kube-apiserver and brings it back after `downFor` milliseconds. kwok goes quiet when its server went away, and the
   * others back off for up to half a minute, so they are started anew.
   */
  async restartApiServer(downFor: number): Promise<void> {
    const { services } = this;
    if (services === undefined) throw new Error('the control plane does not run');
    await services.apiserver.kill();
    await new Promise((resolve) => setTimeout(resolve, downFor));
    services.apiserver.forgive();
    services.apiserver.start();
    await this.untilReady(services.apiserver);
    await this.restartClients();
  }

  private async restartClients(): Promise<void> {
    const { services } = this;
    await Promise.all([this.restartKwok(), services?.controllers.restart(), services?.scheduler.restart()]);
  }

  /** A kwok plays only the nodes whose lease it holds, and a new one is a new holder: the old one's leases must go first. */
  private async restartKwok(): Promise<void> {
    await this.services?.kwok.kill();
    await this.client.call('DELETE', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases');
    this.services?.kwok.start();
  }

  /** A kubeconfig for a client certificate in the lab's PKI. */
  kubeconfig(user: string, server = `https://127.0.0.1:${String(this.port)}`): string {
    const file = (name: string): string => readFileSync(path.join(this.config.pki, name)).toString('base64');
    return kubeconfigYaml({ name: this.config.options.name, server, ca: file('ca.crt'), user: { 'client-certificate-data': file(`${user}.crt`), 'client-key-data': file(`${user}.key`) } });
  }

  private async startOnce(): Promise<void> {
    const { dir, bin, pki, options } = this.config;
    const pulse = pulseOf(options);
    const [etcdPort = 0, peerPort = 0, apiPort = 0, kwokPort = 0] = await freePorts(4);
    this.port = apiPort;
    const at = (name: string): string => path.join(pki, name);
    const kubeconfigs = Object.fromEntries(
      ['controller-manager', 'scheduler', 'kwok', 'admin'].map((user) => {
        const file = path.join(dir, `${user}.kubeconfig`);
        writeFileSync(file, this.kubeconfig(user), { mode: 0o600 });
        return [user, file];
      }),
    );
    const stages = path.join(dir, 'stages.yaml');
    writeFileSync(stages, kwokStages(options));
    writeFileSync(path.join(dir, 'tokens.csv'), `${this.config.adminToken},lab-admin,lab-admin,"system:masters"\n`, { mode: 0o600 });
    writeFileSync(path.join(dir, 'webhook.yaml'), kubeconfigYaml({ name: 'tokens', server: this.config.tokenReviewUrl, user: {} }));
    const service = (name: string, args: string[], onRestart?: () => void): Service =>
      new Service({ name, command: path.join(bin, name), args, logFile: path.join(dir, 'logs', `${name}.log`) }, onRestart);

    const services = {
      etcd: service('etcd', [
        '--name=lab',
        `--data-dir=${path.join(dir, 'etcd')}`,
        `--listen-client-urls=http://127.0.0.1:${String(etcdPort)}`,
        `--advertise-client-urls=http://127.0.0.1:${String(etcdPort)}`,
        `--listen-peer-urls=http://127.0.0.1:${String(peerPort)}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${String(peerPort)}`,
        `--initial-cluster=lab=http://127.0.0.1:${String(peerPort)}`,
        // A lab's data is not worth a disk flush.
        '--unsafe-no-fsync',
        '--log-level=warn',
      ]),
      apiserver: service(
        'kube-apiserver',
        [
          `--etcd-servers=http://127.0.0.1:${String(etcdPort)}`,
          '--bind-address=127.0.0.1',
          `--secure-port=${String(apiPort)}`,
          `--tls-cert-file=${at('apiserver.crt')}`,
          `--tls-private-key-file=${at('apiserver.key')}`,
          `--client-ca-file=${at('ca.crt')}`,
          `--token-auth-file=${path.join(dir, 'tokens.csv')}`,
          `--authentication-token-webhook-config-file=${path.join(dir, 'webhook.yaml')}`,
          '--authentication-token-webhook-version=v1',
          '--authentication-token-webhook-cache-ttl=10s',
          '--authorization-mode=Node,RBAC',
          '--allow-privileged=true',
          '--service-cluster-ip-range=172.20.0.0/16',
          `--service-account-key-file=${at('sa.pub')}`,
          `--service-account-signing-key-file=${at('sa.key')}`,
          '--service-account-issuer=https://kubernetes.default.svc',
          // Only shown in the kubernetes Service; without it the server wants a default route (TEST-NET-1, loopback is refused).
          '--advertise-address=192.0.2.1',
          '--anonymous-auth=true',
          '--enable-priority-and-fairness=false',
          '--watch-cache=true',
          '--shutdown-delay-duration=0s',
        ],
        () => void this.untilReady(services.apiserver).then(() => this.restartClients(), () => undefined),
      ),
      controllers: service('kube-controller-manager', [
        `--kubeconfig=${kubeconfigs['controller-manager'] ?? ''}`,
        `--authentication-kubeconfig=${kubeconfigs['controller-manager'] ?? ''}`,
        `--authorization-kubeconfig=${kubeconfigs['controller-manager'] ?? ''}`,
        '--controllers=*,-node-ipam-controller,-cloud-node-lifecycle-controller,-bootstrap-signer-controller,-token-cleaner-controller,-horizontal-pod-autoscaler-controller',
        `--service-account-private-key-file=${at('sa.key')}`,
        `--root-ca-file=${at('ca.crt')}`,
        '--use-service-account-credentials=true',
        '--leader-elect=false',
        '--secure-port=0',
        `--node-monitor-period=${String(pulse.monitorMs)}ms`,
        `--node-monitor-grace-period=${String(pulse.graceSeconds)}s`,
        '--kube-api-qps=300',
        '--kube-api-burst=600',
      ]),
      scheduler: service('kube-scheduler', [
        `--kubeconfig=${kubeconfigs['scheduler'] ?? ''}`,
        `--authentication-kubeconfig=${kubeconfigs['scheduler'] ?? ''}`,
        `--authorization-kubeconfig=${kubeconfigs['scheduler'] ?? ''}`,
        '--leader-elect=false',
        '--secure-port=0',
        '--kube-api-qps=300',
        '--kube-api-burst=600',
      ]),
      kwok: service('kwok', [
        `--kubeconfig=${kubeconfigs['kwok'] ?? ''}`,
        `--config=${stages}`,
        `--manage-nodes-with-label-selector=${kubeletLabel}=alive`,
        `--node-lease-duration-seconds=${String(pulse.leaseSeconds)}`,
        `--server-address=127.0.0.1:${String(kwokPort)}`,
      ], () => void this.restartKwok().catch(() => undefined)),
    };
    this.services = services;
    this.client = new KubeClient({ port: apiPort, caFile: at('ca.crt'), certFile: at('admin.crt'), keyFile: at('admin.key') });
    services.etcd.start();
    services.apiserver.start();
    await this.untilReady(services.apiserver);
    services.controllers.start();
    services.scheduler.start();
    services.kwok.start();
  }

  private async untilReady(service: Service): Promise<void> {
    await until(
      async () => {
        // readyz waits for hooks (RBAC's roles, for one) that the first writers need.
        try {
          await this.client.call('GET', '/readyz', { timeout: 2000 });
          return true;
        } catch (error) {
          if (isStatus(error, 500) || isStatus(error, 403)) return false;
          return service.crashes > 2;
        }
      },
      60_000,
      () => `kube-apiserver does not come up: ${service.lastWords()}`,
    );
    if (service.crashes > 2) throw new Error(`kube-apiserver does not stay up: ${service.lastWords()}`);
  }
}

/**
 * How often nodes say that they live (four times a lease) and are asked. Of a thousand nodes as often as of ten, that alone would
 * keep a processor busy. A lease must be renewed well within the grace of the node monitor: kwok renews late where it waits for
 * a processor itself, and a node that is taken for dead once stays so, since nothing here posts its status again. A node that became
 * ready keeps its not-ready taint until the monitor's next look (5 s in a cluster): in a small lab that must not be what is measured.
 */
function pulseOf(options: ResolvedOptions): { leaseSeconds: number; monitorMs: number; graceSeconds: number } {
  const nodes = groupSpecs(options).reduce((sum, { desired }) => sum + desired, options.karpenter);
  return nodes > MANY_NODES ? { leaseSeconds: 120, monitorMs: 5_000, graceSeconds: 300 } : { leaseSeconds: 40, monitorMs: 200, graceSeconds: 50 };
}

/** A kubeconfig file's text. */
export function kubeconfigYaml(parts: { name: string; server: string; ca?: string; user: Record<string, string> }): string {
  const { name } = parts;
  // JSON is YAML too, and the one kind where a lab named `y` or `no` stays a string for every reader.
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: parts.server, ...(parts.ca === undefined ? {} : { 'certificate-authority-data': parts.ca }) } }],
    users: [{ name, user: parts.user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
