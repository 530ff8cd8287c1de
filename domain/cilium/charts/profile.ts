import type { HelmValues } from '../../spec/schema.js';

/** What sets the charts of one range of minors apart, as far as ENI mode and the migration are concerned. */
export interface ChartProfile {
  /** First and last minor of 1.x that behave like this, both included. */
  minors: readonly [first: number, last: number];
  /** The value that switches encapsulation off, and the key of cilium-config where it must come out. */
  routing: { path: 'tunnel' | 'routingMode'; value: string; configKey: 'tunnel' | 'routing-mode' };
  /** The routing key of other versions: this chart ignores it (and tunnels) or refuses it. */
  foreignRouting: { path: 'tunnel' | 'routingMode'; why: string };
  /** How this chart spells "kube-proxy stays". */
  kubeProxyReplacementOff: 'disabled' | 'false';
  /** cilium-envoy's own DaemonSet: `never`, `optional` (envoy.enabled), or there by `default`. It ignores the agent's affinity. */
  envoyDaemonSet: 'never' | 'optional' | 'default';
  /** What cilium-operator tolerates where nothing is said: everything, or only the control plane's and start-up taints. */
  operatorTolerates: 'everything' | 'few';
  /** Switches of parts with pods on the pod network: false in phase migration, as the user says from phase enforcement on. */
  heldBack: readonly string[];
  /** Further values that only this range needs. */
  extra: HelmValues;
}

/** Parts with pods on the pod network: on an aws-node node they would have no Cilium identity, or wait for a Cilium node. */
export const HELD_BACK = [
  'hubble.relay.enabled',
  'hubble.ui.enabled',
  'clustermesh.useAPIServer',
] as const;
