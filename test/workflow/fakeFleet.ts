import type { Activities } from '../../activities/api.js';
import type { FleetActivities, FoundCluster } from '../../activities/fleet/api.js';
import { activityFleetGateway } from '../../activities/fleet/gateway.js';
import { createFleetActivities } from '../../activities/fleet/index.js';
import { toFailure } from '../../activities/failures.js';
import type { ClientPool } from '../../activities/clients/index.js';
import type { FleetInput } from '../../domain/fleet/schema.js';
import { fleetInputSchema } from '../../domain/fleet/schema.js';
import type { WindowState } from '../../domain/fleet/windows.js';
import { FakeCluster } from './fakeCluster.js';

/** Fake clusters by the name of their migration, and a fleet's own activities: real but for AWS, API servers and the clock. */
export class FakeFleet {
  readonly clusters = new Map<string, FakeCluster>();
  /** What AWS answers to a selection. */
  found: FoundCluster[] = [];
  /** Ids that clusters run with. */
  readonly ids = new Map<string, number>();
  /** Clusters whose id cannot be read. */
  readonly unreadable = new Set<string>();
  /** Null: the real one. */
  window: (() => WindowState) | null = null;
  /** Most clusters whose nodes were being changed at a time. */
  widest = 0;

  constructor(
    names: readonly string[],
    readonly nodes = 1,
  ) {
    for (const name of names) this.clusters.set(name, new FakeCluster(nodes));
  }

  cluster(name: string): FakeCluster {
    const known = this.clusters.get(name) ?? new FakeCluster(this.nodes);
    this.clusters.set(name, known);
    return known;
  }

  get violations(): string[] {
    return [...this.clusters].flatMap(([name, { violations }]) => violations.map((violation) => `${name}: ${violation}`));
  }

  activities(): Activities & FleetActivities {
    const real = createFleetActivities({ pool: undefined as unknown as ClientPool, gateway: activityFleetGateway() });
    const any = new FakeCluster(0).activities();
    const perCluster = Object.keys(any).map((name) => [name, (input: unknown) => this.#call(name as keyof Activities, input)]);
    return {
      ...(Object.fromEntries(perCluster) as Activities),
      temporalFacts: any.temporalFacts,
      readManifest: any.readManifest,
      readFleet: (input) => real.readFleet(input).catch(asFailure),
      lookFleet: (input) => real.lookFleet(input).catch(asFailure),
      fleetWindow: (input) => (this.window === null ? real.fleetWindow(input) : Promise.resolve(this.window())),
      findClusters: () => Promise.resolve(this.found),
      readClusterIds: ({ clusters }) => Promise.resolve(clusters.map(({ name }) => ({ name, id: this.ids.get(name) ?? null, ...(this.unreadable.has(name) ? { problem: 'connection refused' } : {}) }))),
    };
  }

  async #call(name: keyof Activities, input: unknown): Promise<unknown> {
    const { target } = input as { target: { migration: string } };
    const cluster = this.cluster(target.migration);
    const result: unknown = await (cluster.activities()[name] as (input: unknown) => Promise<unknown>)(input);
    const changing = [...this.clusters.values()].filter(({ lease, blocked }) => lease !== null && blocked.size === 0).length;
    this.widest = Math.max(this.widest, changing);
    return result;
  }
}

/** As the worker's interceptor does it. */
function asFailure(error: unknown): never {
  throw toFailure(error);
}

type RingInput = { name: string; clusters: (string | object)[]; maxInFlight?: number; gate?: boolean };

/** A fleet as `ciliate fleet start` sends it; its clusters have no gates of their own. */
export function fleetInput(name: string, rings: RingInput[], spec: object = {}): FleetInput {
  return fleetInputSchema.parse({
    apiVersion: 'ciliate.io/v1alpha1',
    kind: 'Fleet',
    metadata: { name },
    spec: {
      shared: { cluster: { kubeconfig: '/nowhere/kubeconfig' }, cilium: { version: '1.20.0' }, soakSeconds: 0, approvals: [] },
      rings: rings.map((ring) => ({ ...ring, clusters: ring.clusters.map((member) => (typeof member === 'string' ? { name: member, spec: {} } : member)) })),
      ...spec,
    },
  });
}
