import type { Direction } from '../../domain/directions/index.js';
import type { Lack, Verdict } from '../../domain/probes/verdict.js';
import type { NodeRef } from '../../domain/plan.js';
import type { ProbeKind, ProbesSpec } from '../../domain/spec/probes.js';
import type { Clients } from '../clients/index.js';

/** For which node a probe runs. */
export interface ProbeContext {
  clients: Clients;
  direction: Direction;
  /** The node that was refreshed. */
  node: NodeRef;
  /** Name of the Node that replaced it; null where none was due. */
  replacement: string | null;
}

/** One kind of `spec.probes`. A new kind is a new file, its shape in domain/spec/probes.ts and its line in index.ts. */
export interface Probe<K extends ProbeKind> {
  kind: K;
  /** One short pass: what is lacking right now. Called again until nothing is. */
  pass(context: ProbeContext, spec: NonNullable<ProbesSpec[K]>): Promise<Verdict>;
  /** What would be lacking if it began now, for preflight: reads only. */
  trial(clients: Clients, spec: NonNullable<ProbesSpec[K]>): Promise<Lack[]>;
}
