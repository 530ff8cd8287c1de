import type { Field } from '../../support/field.js';
import type { Bound } from './shape.js';

/** One run of a contender, from its command on. */
export interface Attempt {
  /** How it ended, in a word; never rejects. */
  ended: Promise<string>;
  /** SIGKILL, children included. */
  kill: () => Promise<void>;
}

/** Somebody who moves the lab's cluster from aws-node to Cilium. */
export interface Contender {
  name: string;
  /** Whether it must leave nothing behind and break no budget: only ours is held to it. */
  ours: boolean;
  bound: (nodes: number) => Bound;
  /** Why it cannot run on this machine or in this version; undefined when it can. */
  missing: () => Promise<string | undefined>;
  start: (field: Field) => Promise<Attempt>;
  /** What a person does after a crash: the same again, where it was. */
  again: (field: Field) => Promise<Attempt>;
}
