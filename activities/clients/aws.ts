import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EKSClient } from '@aws-sdk/client-eks';
import { IAMClient } from '@aws-sdk/client-iam';
import { getDefaultRoleAssumer, getDefaultRoleAssumerWithWebIdentity, STSClient } from '@aws-sdk/client-sts';
import { fromIni, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { CiliateError } from '../../domain/failures.js';
import type { ClusterRef } from '../../domain/spec/schema.js';
import { profileEndpoints } from './endpoints.js';
import type { EndpointOf } from './endpoints.js';
import { CONNECT_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './types.js';
import type { AwsClients } from './types.js';

/** What of a cluster reference concerns AWS. */
export interface AwsSettings {
  region: string;
  profile?: string;
  roleArn?: string;
}

/** Region: the reference's, else the worker's AWS_REGION. A region is never guessed. */
export function awsSettings(ref: ClusterRef): AwsSettings {
  const region = ref.eks?.region ?? ref.region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (region === undefined || region === '') {
    throw new CiliateError(
      'Permanent',
      { object: 'spec.cluster.region', expected: 'the AWS region of the cluster', seen: 'none, and no AWS_REGION on the worker', todo: 'Set spec.cluster.region.' },
      { code: 'NoRegion' },
    );
  }
  const from = ref.eks ?? ref.aws ?? {};
  return { region, profile: from.profile, roleArn: from.roleArn };
}

// The SDK warns of Node 20 on stderr, in the middle of what people read; which Node is needed, package.json says.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/**
 * SDK clients for one account and role. Endpoints and everything else come from the AWS settings of the worker (AWS_ENDPOINT_URL,
 * shared configuration files), and first from the profile where the cluster names one. Two attempts only: retrying is Temporal's
 * work, and is seen there. One for what does more when it is sent twice: an answer that is lost is looked after, not asked for again.
 */
export async function awsClients(settings: AwsSettings): Promise<AwsClients> {
  const endpointOf: EndpointOf = settings.profile === undefined ? () => ({}) : await profileEndpoints(settings.profile);
  const base = {
    region: settings.region,
    profile: settings.profile,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true },
  };
  const identity = credentials(settings, { ...base, ...endpointOf('sts') });
  const config = (service: keyof AwsClients) => ({ ...base, ...endpointOf(service), ...identity });
  return {
    ec2: new EC2Client(config('ec2')),
    autoScaling: new AutoScalingClient(config('autoScaling')),
    autoScalingOnce: new AutoScalingClient({ ...config('autoScalingOnce'), maxAttempts: 1 }),
    eks: new EKSClient(config('eks')),
    iam: new IAMClient(config('iam')),
    sts: new STSClient(config('sts')),
  };
}

type StsConfig = NonNullable<Parameters<typeof fromTemporaryCredentials>[0]['clientConfig']>;

/** Default chain; or a profile; or a role assumed with either. Providers refresh by themselves before expiry. */
function credentials(settings: AwsSettings, sts: StsConfig): { credentials?: ReturnType<typeof fromTemporaryCredentials> } {
  const profile = settings.profile === undefined ? undefined : fromProfile(settings.profile, sts);
  if (settings.roleArn === undefined) return profile === undefined ? {} : { credentials: profile };
  const params = { RoleArn: settings.roleArn, RoleSessionName: `ciliate-${process.pid}` };
  return { credentials: fromTemporaryCredentials({ params, clientConfig: sts, ...(profile && { masterCredentials: profile }) }) };
}

/**
 * Roles inside the profile (role_arn, web identity) are assumed at the STS of these settings. Its sign-in services get neither
 * that endpoint nor that region: IAM Identity Center has its own (sso_region).
 */
function fromProfile(profile: string, sts: StsConfig): ReturnType<typeof fromIni> {
  const { maxAttempts, requestHandler } = sts;
  return fromIni({
    profile,
    clientConfig: { maxAttempts, requestHandler },
    roleAssumer: getDefaultRoleAssumer(sts),
    roleAssumerWithWebIdentity: getDefaultRoleAssumerWithWebIdentity(sts),
  });
}
