import { ciliumNetworkPolicySchema, crossClusterPolicySchema } from '../../domain/spec/policy.js';
import type { CiliumNetworkPolicy, CrossClusterPolicy } from '../../domain/spec/policy.js';
import { usageError } from '../exit.js';
import { parseDocument, readSource } from './read.js';

/** A POLICY as it was given: ours, or a CiliumNetworkPolicy with the clusters that it is for. */
export type PolicyGiven = { kind: 'cross'; policy: CrossClusterPolicy } | { kind: 'plain'; policy: CiliumNetworkPolicy; clusters: string[] };

/**
 * Reads a POLICY: a CrossClusterPolicy, or a CiliumNetworkPolicy as it is.
 * @param clusters names given with --cluster: wanted for a CiliumNetworkPolicy, and only there
 * @throws SpecError or ExitError (2)
 */
export function readPolicy(file: string, clusters: string[]): PolicyGiven {
  const { text, source } = readSource(file, 'CrossClusterPolicy');
  if (/^kind:\s*["']?CiliumNetworkPolicy\b/m.test(text)) {
    const { data } = parseDocument(text, source, { kind: 'CiliumNetworkPolicy', schema: ciliumNetworkPolicySchema });
    if (clusters.length === 0) throw usageError(`${file}: a CiliumNetworkPolicy does not say where it belongs: name the clusters with --cluster`);
    return { kind: 'plain', policy: data, clusters: [...new Set(clusters)] };
  }
  const { data } = parseDocument(text, source, { kind: 'CrossClusterPolicy', schema: crossClusterPolicySchema });
  if (clusters.length > 0) throw usageError(`${file}: a CrossClusterPolicy names its clusters itself: leave --cluster out`);
  return { kind: 'cross', policy: data };
}
