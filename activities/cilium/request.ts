import type { ValuesFacts, ValuesInput, ValuesPhase } from '../../domain/cilium/values.js';
import type { CiliumRequest } from '../api.js';

/** What the values of a phase are computed from: the spec, and the facts that the plan froze. */
export function valuesInput({ manifest, plan }: CiliumRequest, phase: ValuesPhase): ValuesInput {
  const { cilium, strategy } = manifest.spec;
  return { cilium, strategy, clusterName: cilium.clusterName ?? manifest.metadata.name, phase, facts: plan.valuesFacts as unknown as ValuesFacts };
}
