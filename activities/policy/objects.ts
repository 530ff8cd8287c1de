import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { FIELD_MANAGER, MANAGED_BY, MANAGED_BY_LABEL } from '../../domain/names.js';
import { POLICY_LABEL } from '../../domain/policy/labels.js';
import type { CiliumNetworkPolicy } from '../../domain/spec/policy.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';

export const CNP = { group: 'cilium.io', version: 'v2', plural: 'ciliumnetworkpolicies' } as const;
const APPLY = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

interface Live extends CiliumNetworkPolicy {
  metadata: CiliumNetworkPolicy['metadata'] & { uid?: string; resourceVersion?: string };
}

export async function readPolicy(clients: Clients, { metadata: { namespace, name } }: CiliumNetworkPolicy): Promise<Live | undefined> {
  return (await orUndefined(clients.kube.custom.getNamespacedCustomObject({ ...CNP, namespace, name }) as Promise<unknown>)) as Live | undefined;
}

/** Whether a live object is what we once put there for this very policy. */
export function isOurs(live: CiliumNetworkPolicy, wanted: CiliumNetworkPolicy): boolean {
  const labels = live.metadata.labels ?? {};
  return labels[MANAGED_BY_LABEL] === MANAGED_BY && labels[POLICY_LABEL] === wanted.metadata.labels?.[POLICY_LABEL];
}

/** Server-side apply, never by force: what somebody else owns comes back as a conflict. */
export async function applyObject(clients: Clients, body: CiliumNetworkPolicy, dryRun: boolean): Promise<CiliumNetworkPolicy> {
  const { namespace, name } = body.metadata;
  return (await clients.kube.custom.patchNamespacedCustomObject(
    { ...CNP, namespace, name, body, fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', ...(dryRun ? { dryRun: 'All' } : {}) },
    APPLY,
  )) as CiliumNetworkPolicy;
}

/** What a policy says, without what the server and we write beside it. */
export function specOf(policy: CiliumNetworkPolicy | undefined): unknown {
  if (policy === undefined) return null;
  const { spec, specs } = policy as { spec?: unknown; specs?: unknown };
  return specs === undefined ? (spec ?? null) : { ...(spec === undefined ? {} : { spec }), specs };
}
