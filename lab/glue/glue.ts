import type { KubeClient } from '../cluster/client.js';
import type { ResolvedOptions } from '../options.js';
import { isChained } from './chaining.js';
import { Karpenter } from '../karpenter/karpenter.js';
import { zoneNames } from '../options.js';
import { AddonApplier } from './addons.js';
import { Addresses } from './addresses.js';
import { CniPlane } from './cni.js';
import { Nodes } from './nodes.js';
import { Pods } from './pods.js';
import type { Instance, Pod } from './types.js';
import { Watchdog } from './watchdog.js';
import { Since, Work } from './work.js';
import { World } from './world.js';

export interface GlueConfig {
  client: KubeClient;
  awsPort: number;
  clusterName: string;
  options: ResolvedOptions;
  log: (line: string) => void;
}

/**
 * What no other part of the lab does: instances become Nodes and Nodes end with their instances, and both CNIs' effects
 * appear. One pass over everything whenever something changed; each pass only starts what is missing.
 */
export class Glue {
  readonly client: KubeClient;
  readonly awsPort: number;
  readonly clusterName: string;
  readonly options: ResolvedOptions;
  readonly log: (line: string) => void;
  readonly world: World;
  readonly work: Work;
  readonly since = new Since();
  readonly addresses = new Addresses();
  readonly nodes = new Nodes(this);
  readonly pods = new Pods(this);
  readonly cni = new CniPlane(this);
  readonly watchdog = new Watchdog(this);
  readonly karpenter: Karpenter;
  /** Whether a Cilium operator could act in this pass. */
  operatorReady = false;
  /** Whether Cilium is chained on the VPC CNI. */
  chained = false;
  private readonly addons = new AddonApplier(this);
  private timer: NodeJS.Timeout | undefined;
  private timerAt = 0;
  /** What the last pass took. */
  private passMs = 0;
  private stopped = false;

  constructor(config: GlueConfig) {
    this.client = config.client;
    this.awsPort = config.awsPort;
    this.clusterName = config.clusterName;
    this.options = config.options;
    this.log = config.log;
    this.world = new World(config.client, config.awsPort);
    this.karpenter = new Karpenter(this, zoneNames(config.options));
    this.work = new Work((delay) => this.wake(delay), config.log);
    this.world.on('change', () => this.wake(0));
    this.world.on('podGone', (pod: Pod) => this.cni.podGone(pod));
  }

  start(): void {
    this.world.start();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.world.stop();
  }

  /** The addresses that an instance may hand to pods. */
  pool(instance: Instance): string[] {
    return this.addresses.block(instance, this.options.maxPods + 8);
  }

  /** Asks for a pass in `delay` milliseconds, or sooner if one is planned anyway. */
  wake(delay: number): void {
    if (this.stopped) return;
    // Changes come in bursts: a pass a change would be a pass a pod. In a big lab a pass takes long, and they never end.
    const at = Date.now() + Math.max(delay, 15, 3 * this.passMs);
    if (this.timer !== undefined && this.timerAt <= at) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.pass();
    }, at - Date.now());
  }

  private pass(): void {
    if (this.stopped || !this.world.complete) return;
    const began = Date.now();
    this.chained = isChained(this.world.pods.values());
    this.operatorReady = this.cni.operatorReady();
    this.cni.operatorStep(this.operatorReady);
    this.addons.step();
    this.nodes.step();
    this.pods.step(this.world.podsByNode());
    this.karpenter.step();
    this.passMs = Date.now() - began;
  }
}
