import { GetRoleCommand, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import type { EvaluationResult } from '@aws-sdk/client-iam';
import type { AwsClients } from '../clients/index.js';
import { batches } from './lists.js';

export type Verdict = 'allowed' | 'denied' | 'unproven';

/**
 * What IAM's simulator says of each action of a principal; `resource` (an ARN) where the action is done on something. Where the
 * simulator cannot be asked, or decides by conditions that it does not know, an action is unproven. Service control policies and
 * session policies are not in it.
 */
export async function simulate(aws: AwsClients, principal: string, asked: { actions: readonly string[]; resources?: readonly string[] }): Promise<Map<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  for (const actions of batches(asked.actions, 50)) {
    for (const result of await evaluate(aws, principal, { actions, resources: asked.resources })) {
      const action = result.EvalActionName ?? '';
      verdicts.set(action, worse(verdicts.get(action), verdictOf(result)));
    }
  }
  for (const action of asked.actions) if (!verdicts.has(action)) verdicts.set(action, 'unproven');
  return verdicts;
}

async function evaluate(aws: AwsClients, principal: string, asked: { actions: string[]; resources?: readonly string[] }): Promise<EvaluationResult[]> {
  const found: EvaluationResult[] = [];
  let marker: string | undefined;
  do {
    const page = await aws.iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: principal,
        ActionNames: asked.actions,
        ...(asked.resources === undefined || asked.resources.length === 0 ? {} : { ResourceArns: [...asked.resources] }),
        // What iam:PassRole is commonly narrowed by; other actions do not look at it.
        ContextEntries: [{ ContextKeyName: 'iam:PassedToService', ContextKeyType: 'string', ContextKeyValues: ['eks.amazonaws.com'] }],
        Marker: marker,
      }),
    );
    found.push(...(page.EvaluationResults ?? []));
    marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (marker !== undefined);
  return found;
}

function verdictOf(result: EvaluationResult): Verdict {
  if (result.OrganizationsDecisionDetail?.AllowedByOrganizations === false) return 'denied';
  if (result.EvalDecision === 'allowed') return 'allowed';
  // Allowed perhaps, under a condition on a tag or a source address that the simulator was not told.
  return result.EvalDecision === 'implicitDeny' && (result.MissingContextValues ?? []).length > 0 ? 'unproven' : 'denied';
}

const RANK: Record<Verdict, number> = { allowed: 0, unproven: 1, denied: 2 };

function worse(a: Verdict | undefined, b: Verdict): Verdict {
  return a !== undefined && RANK[a] > RANK[b] ? a : b;
}

/**
 * The IAM principal behind a caller's ARN: the role of an assumed role (with its path, which STS leaves out), a user as it is.
 * Undefined for the account's root and for federated callers: they cannot be simulated.
 */
export async function principalOf(aws: AwsClients, callerArn: string): Promise<string | undefined> {
  if (/:(iam|sts)::\d+:(user|role)\//.test(callerArn)) return callerArn.replace(':sts::', ':iam::');
  const assumed = /^arn:([a-z-]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(callerArn);
  if (assumed === null) return undefined;
  const [, partition = 'aws', account = '', name = ''] = assumed;
  try {
    return (await aws.iam.send(new GetRoleCommand({ RoleName: name }))).Role?.Arn;
  } catch {
    // Right for every role without a path; a wrong one makes the simulator say NoSuchEntity, so "unproven".
    return `arn:${partition}:iam::${account}:role/${name}`;
  }
}
