import { DescribeClusterCommand } from '@aws-sdk/client-eks';
import type { EKSClient } from '@aws-sdk/client-eks';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { STSClient } from '@aws-sdk/client-sts';
import { KubeConfig } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { presign } from './sigv4.js';

/** EKS accepts a token for 15 minutes after it was signed; a minute is kept in hand for clocks and slow calls. */
const TOKEN_LIFETIME_MS = 14 * 60_000;
/** Refreshed this long before its end. */
const REFRESH_MARGIN_MS = 2 * 60_000;
/** What `aws eks get-token` signs; EKS counts its 15 minutes by itself. */
const PRESIGN_SECONDS = 60;
const AUTH_PROVIDER = 'ciliate-eks';

/** Bearer tokens of one EKS cluster: presigned GetCallerIdentity calls, bound to the cluster's name. */
export class EksToken {
  private held: { token: Promise<string>; until: number } | undefined;

  constructor(
    private readonly sts: STSClient,
    private readonly clusterName: string,
  ) {}

  get(): Promise<string> {
    const now = Date.now();
    if (this.held === undefined || now >= this.held.until) {
      const token = this.sign();
      this.held = { token, until: now + TOKEN_LIFETIME_MS - REFRESH_MARGIN_MS };
      token.catch(() => this.forget());
    }
    return this.held.token;
  }

  /** After a 401. */
  forget(): void {
    this.held = undefined;
  }

  private async sign(): Promise<string> {
    const [endpoint, region, credentials] = await Promise.all([stsEndpoint(this.sts), this.sts.config.region(), this.sts.config.credentials()]);
    const url = new URL(`${endpoint.replace(/\/$/, '')}/?Action=GetCallerIdentity&Version=2011-06-15`);
    const signed = presign({
      url,
      service: 'sts',
      region,
      credentials,
      headers: { 'x-k8s-aws-id': this.clusterName },
      expiresSeconds: PRESIGN_SECONDS,
      now: new Date(),
    });
    return `k8s-aws-v1.${Buffer.from(signed).toString('base64url')}`;
  }
}

/** Where this client would send GetCallerIdentity: asked of the SDK itself, since endpoints come from many settings. */
async function stsEndpoint(sts: STSClient): Promise<string> {
  let endpoint: string | undefined;
  const command = new GetCallerIdentityCommand({});
  command.middlewareStack.add(
    () => (args) => {
      const { protocol, hostname, port, path } = args.request as { protocol: string; hostname: string; port?: number; path: string };
      endpoint = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`;
      // Stops here: nothing is sent.
      return Promise.resolve({ output: { $metadata: {} }, response: undefined });
    },
    { step: 'build', priority: 'high' },
  );
  await sts.send(command);
  if (endpoint === undefined) throw new CiliateError('Permanent', 'AWS SDK: expected an endpoint of STS, saw none. Set AWS_REGION.');
  return endpoint;
}

/** A kubeconfig that exists in memory only: endpoint and CA from DescribeCluster, a token for every call. */
export async function eksKubeConfig(eks: EKSClient, name: string, token: EksToken): Promise<KubeConfig> {
  const { cluster } = await eks.send(new DescribeClusterCommand({ name }));
  if (cluster?.endpoint === undefined || cluster.certificateAuthority?.data === undefined) {
    throw new CiliateError('Permanent', {
      object: `EKS cluster ${name}`,
      expected: 'an endpoint and a certificate authority',
      seen: `status ${cluster?.status ?? 'unknown'} without them`,
      todo: 'Wait until the cluster is ACTIVE.',
    });
  }
  const config = new KubeConfig();
  config.addAuthenticator({
    isAuthProvider: (user) => user.authProvider?.name === AUTH_PROVIDER,
    async applyAuthentication(_user, options) {
      options.headers = { ...options.headers, Authorization: `Bearer ${await token.get()}` };
    },
  });
  config.loadFromClusterAndUser(
    { name, server: cluster.endpoint, caData: cluster.certificateAuthority.data, skipTLSVerify: false },
    { name, authProvider: { name: AUTH_PROVIDER } },
  );
  return config;
}
