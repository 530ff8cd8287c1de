import type { Hazard } from '../findings.js';
import { counted, finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';

/** Only used to give a group extra nodes, and to take them back. */
const GROWS = ['autoscaling:SetDesiredCapacity', 'autoscaling:SetInstanceProtection', 'autoscaling:UpdateAutoScalingGroup', 'eks:UpdateNodegroupConfig'];

export const awsActionDenied: Hazard = {
  id: 'aws-action-denied',
  title: 'AWS refuses an action that the migration will use',
  // Chained, nothing of AWS is changed.
  strategies: REPLACES_NODES,
  check({ cluster, manifest: { spec } }) {
    const denied = cluster.aws.actions.filter((action) => action.verdict === 'denied');
    const grows = parseInt(String(spec.refresh.maxSurge), 10) > 0;
    const needed = denied.filter(({ action }) => grows || !GROWS.includes(action));
    const later = denied.filter((action) => !needed.includes(action));
    const who = cluster.aws.arn ?? 'The caller';
    const todo = "Attach deploy/iam/migrator-policy.json to the worker's role.";
    const named = (actions: typeof denied): string[] => actions.map((action) => `${action.action} (${action.how})`);
    return [
      ...(needed.length === 0 ? [] : [finding(this.id, 'blocker', { objects: named(needed), message: `${who} is denied ${counted(needed.length, 'AWS action')}; the migration would stop half-way, at the first of them.`, todo })]),
      ...(later.length === 0 ? [] : [finding(this.id, 'info', { objects: named(later), message: `${who} is denied ${counted(later.length, 'AWS action')} that a surge needs; without one (refresh.maxSurge 0) they are not used.`, todo })]),
    ];
  },
};

export const awsActionUnproven: Hazard = {
  id: 'aws-action-unproven',
  title: 'Whether AWS permits an action could not be proven',
  // Chained, nothing of AWS is changed.
  strategies: REPLACES_NODES,
  check({ cluster }) {
    const unproven = cluster.aws.actions.filter((action) => action.verdict === 'unproven');
    if (unproven.length === 0) return [];
    return [
      finding(this.id, 'info', {
        objects: unproven.map((action) => action.action),
        message: `Not proven for ${counted(unproven.length, 'AWS action')} (${unproven[0]?.how ?? 'no way to ask'}): a denial would only show when the action is used.`,
        todo: "Compare the worker's role with deploy/iam/migrator-policy.json, or allow it iam:SimulatePrincipalPolicy on itself.",
      }),
    ];
  },
};
