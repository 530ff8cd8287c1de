import http from 'node:http';
import type { ResolvedOptions } from '../options.js';
import { readBody } from './listen.js';

const prefix = 'k8s-aws-v1.';
/** As EKS: a token is good for 15 minutes after it was signed. */
const lifetime = 15 * 60_000;

export interface TokenReviewerConfig {
  clusterName: string;
  options: ResolvedOptions;
}

interface Review {
  apiVersion: string;
  kind: 'TokenReview';
  status: { authenticated: boolean; error?: string; user?: { username: string; uid: string; groups: string[]; extra?: Record<string, string[]> } };
}

/** Does what EKS does with `k8s-aws-v1.` tokens: asks STS who signed them, and maps that identity to a user. */
export class TokenReviewer {
  awsPort = 0;

  constructor(private readonly config: TokenReviewerConfig) {}

  async review(token: string): Promise<Review> {
    try {
      const arn = await this.identify(token);
      const canonical = canonicalArn(arn);
      const { access, accessDefault } = this.config.options;
      const groups = access[canonical] ?? access[arn] ?? accessDefault;
      return answer({ authenticated: true, user: { username: arn, uid: `lab:${canonical}`, groups: [...groups, 'system:authenticated'], extra: { arn: [arn], canonicalArn: [canonical] } } });
    } catch (error) {
      return answer({ authenticated: false, error: error instanceof Error ? error.message : String(error) });
    }
  }

  private async identify(token: string): Promise<string> {
    if (!token.startsWith(prefix)) throw new Error('not an EKS token');
    const url = new URL(Buffer.from(token.slice(prefix.length), 'base64url').toString('utf8'));
    const query = url.searchParams;
    if (query.get('Action') !== 'GetCallerIdentity') throw new Error('the token signs something else than sts:GetCallerIdentity');
    if (!(query.get('X-Amz-SignedHeaders') ?? '').split(';').includes('x-k8s-aws-id')) throw new Error('the token does not sign x-k8s-aws-id: it is for no cluster');
    const signed = parseAmzDate(query.get('X-Amz-Date') ?? '');
    if (signed === undefined || Date.now() - signed > lifetime) throw new Error('the token has expired');
    const text = await this.askSts(`/?${query.toString()}`);
    const arn = /<Arn>([^<]+)<\/Arn>/.exec(text)?.[1];
    if (arn === undefined) throw new Error(`STS does not know who signed this token: ${text.slice(0, 200)}`);
    return arn;
  }

  private askSts(pathAndQuery: string): Promise<string> {
    return new Promise((resolve, reject) => {
      // The signature is not checked (moto does not), so the cluster's name is only sent along as EKS would.
      const headers = { 'x-k8s-aws-id': this.config.clusterName, host: 'sts.amazonaws.com' };
      const request = http.request({ host: '127.0.0.1', port: this.awsPort, path: pathAndQuery, headers }, (response) => {
        readBody(response).then((body) => resolve(body.toString('utf8')), reject);
      });
      request.setTimeout(5000, () => request.destroy(new Error('STS does not answer')));
      request.on('error', reject);
      request.end();
    });
  }
}

function answer(status: Review['status']): Review {
  return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status };
}

/** An assumed role's session counts as the role. */
export function canonicalArn(arn: string): string {
  const match = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  return match === null ? arn : `arn:${match[1] ?? ''}:iam::${match[2] ?? ''}:role/${match[3] ?? ''}`;
}

function parseAmzDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`);
}
