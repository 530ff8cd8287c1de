import { isMixed } from '../../domain/cilium/values.js';
import type { ValuesPhase } from '../../domain/cilium/values.js';
import { withLeaves } from '../../domain/mesh/leaves.js';
import type { MeshEntry } from '../../domain/mesh/leaves.js';
import type { HelmValues } from '../../domain/spec/schema.js';

/**
 * Values of a migration with what a mesh set, so that a later run does not disconnect the cluster. Not while nodes are on aws-node:
 * clustermesh-apiserver is a pod on the pod network, put off like every other.
 */
export function meshed(values: HelmValues, entry: MeshEntry | null, phase: ValuesPhase): HelmValues {
  return entry === null || isMixed(phase) ? values : withLeaves(values, entry.leaves);
}
