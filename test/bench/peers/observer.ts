import { AppsV1Api, CoreV1Api, PolicyV1Api, Watch } from '@kubernetes/client-node';
import type { KubeConfig, V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import type { Lab } from '../../../lab/index.js';
import { labKube } from '../../support/field.js';
import { Tally } from './tally.js';
import type { Cloud, Figures } from './tally.js';

/** Where the busy workload lives. */
const NAMESPACE = 'shop';
const CLOUD_EVERY = 250;

type See = (type: string, object: never, at: number) => void;

/**
 * Sees for itself: watches past the fault front, and the stand-in's instances and groups. No contender is asked anything, and
 * nothing of this counts as a contender's API call.
 */
export class Observer {
  #stopped = false;
  readonly #stops: (() => void)[] = [];
  readonly #running: Promise<void>[] = [];

  private constructor(
    private readonly lab: Lab,
    private readonly config: KubeConfig,
    private readonly tally: Tally,
  ) {}

  static async of(lab: Lab): Promise<Observer> {
    const config = labKube(lab);
    const core = config.makeApiClient(CoreV1Api);
    const apps = config.makeApiClient(AppsV1Api);
    const [nodes, pods, daemonSets, deployments, statefulSets, budgets, cloud] = await Promise.all([
      core.listNode(),
      core.listNamespacedPod({ namespace: NAMESPACE }),
      apps.listNamespacedDaemonSet({ namespace: 'kube-system' }),
      apps.listNamespacedDeployment({ namespace: NAMESPACE }),
      apps.listNamespacedStatefulSet({ namespace: NAMESPACE }),
      config.makeApiClient(PolicyV1Api).listNamespacedPodDisruptionBudget({ namespace: NAMESPACE }),
      cloudOf(lab),
    ]);
    const workloads = [...deployments.items, ...statefulSets.items];
    const before = { nodes: nodes.items, pods: pods.items, daemonSets: daemonSets.items, workloads, budgets: budgets.items, cloud };
    const observer = new Observer(lab, config, new Tally(before, Date.now()));
    const { tally } = observer;
    observer.#follow('/api/v1/nodes', nodes.metadata?.resourceVersion, (type, node: V1Node, at) => tally.node(type, node, at));
    observer.#follow(`/api/v1/namespaces/${NAMESPACE}/pods`, pods.metadata?.resourceVersion, (type, pod: V1Pod, at) => tally.pod(type, pod, at));
    observer.#follow('/apis/apps/v1/namespaces/kube-system/daemonsets', daemonSets.metadata?.resourceVersion, (type, set: V1DaemonSet, at) => tally.daemonSet(type, set, at));
    observer.#running.push(observer.#lookAtCloud());
    return observer;
  }

  /** Waits, not for ever, until all is as before on other nodes. */
  async settled(timeout: number): Promise<void> {
    const end = Date.now() + timeout;
    while (!this.tally.isBack && Date.now() < end) await sleep(CLOUD_EVERY);
  }

  async stop(): Promise<Figures> {
    this.#stopped = true;
    for (const stop of this.#stops) stop();
    await Promise.all(this.#running);
    return this.tally.figures(Date.now());
  }

  /** A watch ends by itself after some time; the next one goes on where it ended. */
  #follow(path: string, from: string | undefined, see: See): void {
    let version = from;
    const on = (type: string, object: { metadata?: { resourceVersion?: string } }): void => {
      version = object.metadata?.resourceVersion ?? version;
      if (type !== 'BOOKMARK') see(type, object as never, Date.now());
    };
    const run = async (): Promise<void> => {
      while (!this.#stopped) {
        await new Promise<void>((resolve) => {
          new Watch(this.config)
            .watch(path, { resourceVersion: version, allowWatchBookmarks: true }, (type, object) => on(type, object as Parameters<typeof on>[1]), () => resolve())
            .then((controller) => this.#stops.push(() => controller.abort()), () => setTimeout(resolve, 100));
        });
      }
    };
    this.#running.push(run());
  }

  async #lookAtCloud(): Promise<void> {
    while (!this.#stopped) {
      this.tally.cloud(await cloudOf(this.lab), Date.now());
      await sleep(CLOUD_EVERY);
    }
  }
}

async function cloudOf(lab: Lab): Promise<Cloud> {
  const { instances, groups } = await lab.status();
  return {
    groups: groups.map(({ name, min, max, desired, suspended }) => ({ name, min, max, desired, suspended: [...suspended].sort() })),
    living: instances.filter(({ state }) => state === 'pending' || state === 'running').map(({ id }) => id),
  };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
