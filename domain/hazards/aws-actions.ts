import type { Hazard } from '../findings.js';
import { counted, finding } from './finding.js';

export const awsActionDenied: Hazard = {
  id: 'aws-action-denied',
  title: 'AWS refuses an action that the migration will use',
  check({ cluster }) {
    const denied = cluster.aws.actions.filter((action) => action.verdict === 'denied');
    if (denied.length === 0) return [];
    return [
      finding(this.id, 'blocker', {
        objects: denied.map((action) => `${action.action} (${action.how})`),
        message: `${cluster.aws.arn ?? 'The caller'} is denied ${counted(denied.length, 'AWS action')}; the migration would stop half-way, at the first of them.`,
        todo: "Attach deploy/iam/migrator-policy.json to the worker's role.",
      }),
    ];
  },
};

export const awsActionUnproven: Hazard = {
  id: 'aws-action-unproven',
  title: 'Whether AWS permits an action could not be proven',
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
