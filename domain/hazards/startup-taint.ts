import type { Hazard } from '../findings.js';
import { AGENT_NOT_READY_TAINT } from '../names.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

const isStartupTaint = (taint: { key: string }): boolean => taint.key === AGENT_NOT_READY_TAINT;

/** Never added by ciliate: EKS gives a group's new taint to living nodes too, where nobody would remove it from nodes on aws-node. */
export const startupTaint: Hazard = {
  id: 'agent-not-ready-taint',
  title: "New nodes get Cilium's startup taint",
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const objects = [
      ...(cluster.eks?.nodegroups ?? []).filter((group) => group.taints.some(isStartupTaint)).map((group) => `Node group ${group.name}`),
      ...cluster.nodePools.filter((pool) => pool.startupTaints.some(isStartupTaint)).map((pool) => `NodePool ${pool.name}`),
    ];
    if (objects.length === 0) return [];
    return [
      finding(this.id, 'warning', {
        objects,
        message: `${AGENT_NOT_READY_TAINT} is removed by the operator once the agent is ready. Until Cilium is installed, and after a rollback, nobody removes it: new nodes stay empty.`,
        todo: 'Fine while the migration goes forward. Remove it there before any rollback.',
      }),
    ];
  },
};

/** https://karpenter.sh/docs/concepts/nodepools/#cilium-startup-taint */
export const startupTaintForGood: Hazard = {
  id: 'agent-not-ready-for-good',
  title: "A NodePool has Cilium's startup taint as a lasting one",
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const pools = cluster.nodePools.filter((pool) => pool.taints.some(isStartupTaint));
    if (pools.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: pools.map((pool) => `NodePool ${pool.name}`),
        message: `With ${AGENT_NOT_READY_TAINT} in spec.template.spec.taints, Karpenter takes it that no ordinary pod may ever run there: it would make no node for evicted pods.`,
        todo: 'Move it to startupTaints, with disruption budgets at 0: a change of taints drifts every node of the NodePool.',
      }),
    ];
  },
};
