import type { Hazard } from '../findings.js';
import { awsNodesRemain } from '../plan/mode.js';
import { meaningLine } from '../policy/networkPoliciesText.js';
import { counted, finding } from './finding.js';

/** While the two CNIs are mixed, enforcement is `never`: Cilium knows no identity of a pod on an aws node and would drop its traffic. */
export const networkPolicyGap: Hazard = {
  id: 'network-policy-gap',
  title: 'NetworkPolicies that the VPC CNI enforces would not be enforced for a while',
  check({ cluster, manifest }) {
    const policies = cluster.networkPolicies;
    if (policies.length === 0 || cluster.awsNode?.enforcesNetworkPolicy !== true || !awsNodesRemain(cluster)) return [];
    const accepted = manifest.spec.cilium.acceptPolicyGap;
    return [
      finding(this.id, accepted ? 'warning' : 'blocker', {
        objects: policies.map(({ namespace, name }) => `NetworkPolicy ${namespace}/${name}`),
        message: `${policiesOf(policies.length)} enforced today by the VPC CNI will protect no pod on a migrated node until before-enforcement is approved.`,
        todo: accepted
          ? 'Accepted by spec.cilium.acceptPolicyGap. Keep the time until before-enforcement short.'
          : 'Protect these workloads otherwise (security groups) or accept the gap: spec.cilium.acceptPolicyGap: true.',
      }),
    ];
  },
};

export const networkPolicyLatent: Hazard = {
  id: 'network-policy-latent',
  title: 'NetworkPolicies that nobody enforces today will be enforced at the end',
  check({ cluster }) {
    const policies = cluster.networkPolicies;
    if (policies.length === 0 || cluster.awsNode === null || cluster.awsNode.enforcesNetworkPolicy) return [];
    return [
      finding(this.id, 'warning', {
        objects: policies.map(({ namespace, name }) => `NetworkPolicy ${namespace}/${name}`),
        message: 'The VPC CNI does not enforce these today; from before-enforcement on Cilium does, and what they do not allow is dropped.',
        todo: 'Read them as if they were new: delete what is stale, or test them on a cluster that enforces, before approving before-enforcement.',
      }),
    ];
  },
};

/** Policies of which a finding tells. */
const TOLD = 10;

/** Reported whatever the others say: each policy reads another way under another program. */
export const networkPolicyMeaning: Hazard = {
  id: 'network-policy-meaning',
  title: 'What existing NetworkPolicies mean under Cilium',
  check({ cluster: { policyMeanings, awsNode } }) {
    if (policyMeanings.length === 0 || awsNode === null) return [];
    const begin = policyMeanings.filter(({ change }) => change === 'takes-effect').length;
    const rest = policyMeanings.length - TOLD;
    return [
      {
        id: this.id,
        severity: 'info',
        // In this order: what begins to have an effect comes first.
        objects: [...policyMeanings.slice(0, TOLD).map(meaningLine), ...(rest > 0 ? [`and ${rest} more`] : [])],
        message: `${policiesOf(policyMeanings.length)}; ${begin === 0 ? 'none' : begin} of them had no effect before and will have one with Cilium.`,
        todo: 'Read each; all of them, also as JSON: ciliate policy report -f SPEC',
      },
    ];
  },
};

function policiesOf(count: number): string {
  return counted(count, 'NetworkPolicy').replace('Policys', 'Policies');
}
