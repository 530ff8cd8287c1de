import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { ObservedCluster } from '../../domain/observation.js';
import { CiliateError } from '../../domain/failures.js';
import { classify } from '../clients/errors.js';
import type { AwsClients } from '../clients/index.js';
import type { AwsCalls } from './awsCalls.js';
import { dryRun } from './dryRun.js';
import { bounded } from './lists.js';
import { MIGRATOR_ACTIONS } from './permissions.js';
import type { ActsOn, AwsAction } from './permissions.js';
import { principalOf, simulate } from './simulate.js';

type Action = ObservedCluster['aws']['actions'][number];

/** ARNs of what the actions are done on, as far as they are known. */
export type Resources = Partial<Record<ActsOn, string[]>>;

export interface Caller {
  account?: string;
  arn?: string;
}

/** Who the worker is to AWS. STS answers everybody with valid credentials, so an error here is an error. */
export async function callerIdentity(aws: AwsClients): Promise<Caller> {
  const { Account: account, Arn: arn } = await aws.sts.send(new GetCallerIdentityCommand({}));
  return { ...(account === undefined ? {} : { account }), ...(arn === undefined ? {} : { arn }) };
}

/**
 * A verdict an action, by the strongest proof there is: the observation used it; EC2's dry run; IAM's simulator; none.
 */
export async function awsActions(aws: AwsClients, calls: AwsCalls, about: { caller: Caller; resources: Resources; alsoUses: readonly AwsAction[] }): Promise<Action[]> {
  const wanted = [...MIGRATOR_ACTIONS, ...about.alsoUses].filter((each) => applies(each, about.resources));
  const used = wanted.flatMap(({ action }) => calls.verdict(action) ?? []);
  const open = wanted.filter(({ action }) => calls.verdict(action) === undefined);
  const dry = (await bounded(open, 4, async ({ action }) => ({ action, verdict: await dryRun(aws, action) }))).flatMap(({ action, verdict }): Action[] =>
    verdict === null ? [] : [{ action, verdict, how: 'dry run' }],
  );
  const left = open.filter(({ action }) => !dry.some((each) => each.action === action));
  return [...used, ...dry, ...(await simulated(aws, left, about))].sort((a, b) => (a.action < b.action ? -1 : 1));
}

function applies({ when }: AwsAction, resources: Resources): boolean {
  switch (when) {
    case 'always':
      return true;
    case 'eks':
      return resources.cluster !== undefined;
    case 'addon':
      return resources.addon !== undefined;
    case 'role':
      return resources.role !== undefined;
  }
}

async function simulated(aws: AwsClients, actions: readonly AwsAction[], about: { caller: Caller; resources: Resources }): Promise<Action[]> {
  if (actions.length === 0) return [];
  const unproven = (how: string): Action[] => actions.map(({ action }) => ({ action, verdict: 'unproven', how }));
  const { arn } = about.caller;
  const principal = arn === undefined ? undefined : await principalOf(aws, arn);
  if (principal === undefined) return unproven(`${arn ?? 'the caller'} cannot be simulated`);
  try {
    const kinds = [...new Set(actions.map(({ on }) => on))];
    const answers = await bounded(kinds, 2, async (on) => {
      const names = actions.filter((each) => each.on === on).map(({ action }) => action);
      return simulate(aws, principal, { actions: names, resources: about.resources[on] });
    });
    return answers.flatMap((verdicts) => [...verdicts].map(([action, verdict]): Action => ({ action, verdict, how: 'iam:SimulatePrincipalPolicy' })));
  } catch (error) {
    return unproven(cannotSimulate(error));
  }
}

/** Why the simulator gave no answer; outages and throttling are passed on and tried again. */
export function cannotSimulate(error: unknown): string {
  const known = classify(error);
  if (known instanceof CiliateError && (known.kind === 'Transient' || known.kind === 'Throttled')) throw error;
  return `iam:SimulatePrincipalPolicy said ${error instanceof Error ? error.name : String(error)}`;
}
