import { NetworkingV1Api } from '@kubernetes/client-node';
import { podFinished } from '../../domain/kubernetes/resources.js';
import { KUBE_SYSTEM } from '../../domain/names.js';
import { networkPolicyMeanings } from '../../domain/policy/networkPolicies.js';
import type { NetworkPolicyMeaning } from '../../domain/policy/networkPolicies.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { AwsCalls } from '../observe/awsCalls.js';
import { enforcesPolicies, observeAwsNode } from '../observe/awsNode.js';
import { allPages } from '../clients/pages.js';
import { observedNetworkPolicy } from '../observe/networkPolicy.js';
import { readCniLedger } from '../kubernetes/cniLedger.js';
import { mapPods } from '../kubernetes/lists.js';

/** What every NetworkPolicy of a cluster means under Cilium; reads only. */
export async function reportNetworkPolicies(clients: Clients): Promise<NetworkPolicyMeaning[]> {
  const [policies, pods, { awsNode }, { daemonSet: saved }, config] = await Promise.all([
    allPages((page) => clients.kube.make(NetworkingV1Api).listNetworkPolicyForAllNamespaces(page)),
    mapPods(clients, (pod) =>
      podFinished(pod) || pod.spec?.hostNetwork === true ? undefined : { namespace: pod.metadata?.namespace ?? '', name: pod.metadata?.name ?? '', labels: pod.metadata?.labels ?? {} },
    ),
    observeAwsNode(clients, new AwsCalls(), undefined),
    // Once aws-node is gone the ledger still knows how it was.
    readCniLedger(clients),
    orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: 'cilium-config' })),
  ]);
  return networkPolicyMeanings({
    policies: policies.map(observedNetworkPolicy),
    pods,
    enforcedBefore: awsNode?.enforcesNetworkPolicy ?? (saved === undefined ? null : enforcesPolicies(saved)),
    enforcement: config === undefined ? null : (config.data?.['enable-policy'] ?? 'default'),
  });
}
