import type { Hazard } from '../findings.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

const TODO = 'Attach deploy/iam/cilium-operator-policy.json to that role, or give the operator a role of its own: spec.cilium.values eni.iamRole.';

export const operatorRightsMissing: Hazard = {
  id: 'operator-rights-missing',
  title: "cilium-operator's role lacks EC2 rights",
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const { verdict, role, missing, how } = cluster.operatorRights;
    if (verdict !== 'denied') return [];
    return [
      finding(this.id, 'blocker', {
        objects: missing,
        message: `${role ?? "The operator's role"} may not use these (${how}). The operator alone calls EC2 for addresses: new nodes would come up without any.`,
        todo: TODO,
      }),
    ];
  },
};

export const operatorRightsUnproven: Hazard = {
  id: 'operator-rights-unproven',
  title: "cilium-operator's EC2 rights could not be proven",
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const { verdict, role, how } = cluster.operatorRights;
    if (verdict !== 'unproven') return [];
    return [
      finding(this.id, 'warning', {
        objects: role === undefined ? [] : [role],
        message: `Not proven: ${how}. Where they are missing, the first replaced node (the canary) gets no addresses and the migration stops there.`,
        todo: `${TODO} The worker needs iam:SimulatePrincipalPolicy and iam:GetInstanceProfile to prove it.`,
      }),
    ];
  },
};
