import { canonicalJson } from '../../domain/canonical.js';
import { checkPolicy } from '../../domain/policy/checks.js';
import { losses } from '../../domain/policy/losses.js';
import type { PolicySeen } from '../../domain/policy/run.js';
import type { PolicyFacts } from '../../domain/policy/checks.js';
import type { CiliumNetworkPolicy } from '../../domain/spec/policy.js';
import { kubeMessage, kubeStatus } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import type { PolicyRequest } from './api.js';
import { policyFacts } from './facts.js';
import { applyObject, isOurs, readPolicy, specOf } from './objects.js';
import { selectedPods } from './selected.js';

/** What a policy meets in its cluster; reads only (the dry run changes nothing). */
export async function inspectPolicy(clients: Clients, { cluster, rendered, peers }: PolicyRequest): Promise<PolicySeen> {
  const { object } = rendered;
  const facts = await policyFacts(clients, object.metadata.namespace);
  const [live, selected] = await Promise.all([readPolicy(clients, object), selectedPods(clients, object)]);
  const foreign = live !== undefined && !isOurs(live, object);
  const refusal = foreign ? null : await dryRun(clients, object, facts);
  const findings = checkPolicy({
    rendered,
    ciliumName: cluster.ciliumName,
    others: peers,
    seen: { ...facts, foreign, refusal, pods: selected?.pods ?? null, unmanaged: selected?.unmanaged ?? [] },
  });
  return {
    cluster: rendered.cluster,
    direction: rendered.direction,
    namespace: object.metadata.namespace,
    name: object.metadata.name,
    state: live === undefined ? 'absent' : foreign ? 'foreign' : sameSpec(live, object) ? 'same' : 'differs',
    before: specOf(live),
    after: specOf(object),
    pods: selected?.pods ?? null,
    losses: selected === undefined ? [] : losses(rendered, selected),
    findings,
    done: null,
  };
}

export function sameSpec(live: CiliumNetworkPolicy, wanted: CiliumNetworkPolicy): boolean {
  return canonicalJson(specOf(live)) === canonicalJson(specOf(wanted));
}

/** The API server's words where it would refuse the object: its schema is the one that counts. Null where it accepts. */
async function dryRun(clients: Clients, object: CiliumNetworkPolicy, { namespace, config }: PolicyFacts): Promise<string | null> {
  // Without its namespace or its CRD it is refused for that, which is said already.
  if (!namespace || config === undefined) return null;
  try {
    await applyObject(clients, object, true);
    return null;
  } catch (error) {
    const status = kubeStatus(error);
    // 404: the CRD is not there yet; 409: a field belongs to somebody else; 422 and 400: the schema.
    if (status === undefined || ![400, 404, 409, 422].includes(status)) throw error;
    return kubeMessage(error);
  }
}
