import type { HelmValues } from '../../spec/schema.js';
import type { ExpectedKey } from '../expectedKey.js';
import type { KeyRule } from '../keyRule.js';
import type { ValuesInput } from '../values.js';

/** Where pods get their addresses and how packets reach them: all that sets the ways of running Cilium apart. A new one is a new file. */
export interface Datapath {
  /** What it adds to the values that are the same for all. */
  values(input: ValuesInput): HelmValues;
  /** What cilium-config must say for it. */
  config(input: ValuesInput): ExpectedKey[];
  /** Keys of the user's values that fight it. */
  rules: readonly KeyRule[];
  /** Why a key that fights every way fights this one, by path, where that is another reason than with ENI mode. */
  reasons: Readonly<Record<string, string>>;
  /** The operator's build. */
  operatorImage: 'operator-aws' | 'operator-generic';
  /** Cilium shares every node with aws-node. */
  besideAwsNode: boolean;
}
