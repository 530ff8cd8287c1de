import type { LimitSaid } from './chain/limits.js';
import type { Finding } from './findings.js';
import type { HelmValues } from './spec/schema.js';
import type { Gate, Strategy } from './spec/words.js';

/** Whether Cilium source-NATs pod traffic that leaves the VPC, and why it was decided so. */
export interface MasqueradeDecision {
  enabled: boolean;
  /** egressMasqueradeInterfaces, e.g. `eth0`; absent where masquerade is off. */
  interfaces?: string;
  why: string;
}

/** One node known by instance id and Node UID, never by name: EC2 reuses addresses and so names. */
export interface NodeRef {
  name: string;
  uid: string;
  instanceId: string;
  group: string;
  zone: string;
}

export interface PlannedStep {
  id: string;
  title: string;
  /** Gate that opens before this step, where the spec asks for it. */
  gate?: Gate;
  /** What the step writes, one line each; empty for steps that only look. */
  writes: string[];
  /** Why this run will not get there; absent for steps that it gets to. */
  unreached?: string;
}

/** The pure result of `plan(observed cluster, spec)`: the dry run, and what `before-install` approves. */
export interface Plan {
  migration: string;
  strategy: Strategy;
  findings: Finding[];
  /** Findings with severity blocker: the run stops before its first write. */
  blocked: boolean;
  /** `migrate`: nodes on aws-node remain; `resume`: started earlier, goes on; `done`: Cilium everywhere, nothing to do. */
  mode: 'migrate' | 'resume' | 'done';
  steps: PlannedStep[];
  /** Nodes to refresh, in order; none with strategy `chain`. */
  nodes: NodeRef[];
  /** Pods that move or restart once, at least. */
  pods: number;
  /** What chaining cannot do here, for the gate accept-limits. Empty with the other strategies. */
  limits: LimitSaid[];
  /** Nodes that are not refreshed, and why. */
  leftOut: { name: string; why: string }[];
  /** Nodes that `refresh.leaveAlone` keeps as they are: the run ends partial after the refresh, and aws-node stays for them. */
  leftAlone: NodeRef[];
  chart: { version: string; sha256: string; source: string };
  masquerade: MasqueradeDecision;
  values: { migration: HelmValues; enforcement: HelmValues; final: HelmValues };
  /** Seconds, computed from what is known before anything ran; an estimate and said to be one. */
  estimate: { perNodeSeconds: number; totalSeconds: number; basis: string };
  /** What the gate before-install decides on, digested: chart, values, aws-node's affinity (sha256, hex). */
  installDigest: string;
}
