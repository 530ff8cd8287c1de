import { createHash, createHmac } from 'node:crypto';

export interface PresignInput {
  /** e.g. `https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15`. */
  url: URL;
  service: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** Signed beside `host`; lower case names. */
  headers: Record<string, string>;
  expiresSeconds: number;
  now: Date;
}

/**
 * Signature Version 4 in the query string of a GET.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function presign(input: PresignInput): string {
  const { credentials, service, region } = input;
  const stamp = input.now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const headers: Record<string, string> = { ...input.headers, host: input.url.host };
  const names = Object.keys(headers).sort();
  const url = new URL(input.url);
  const query: [string, string][] = [
    ...url.searchParams,
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope}`],
    ['X-Amz-Date', stamp],
    ['X-Amz-Expires', String(input.expiresSeconds)],
    ['X-Amz-SignedHeaders', names.join(';')],
  ];
  if (credentials.sessionToken !== undefined) query.push(['X-Amz-Security-Token', credentials.sessionToken]);
  const canonicalQuery = query
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const canonical = ['GET', url.pathname, canonicalQuery, ...names.map((name) => `${name}:${headers[name]?.trim()}`), '', names.join(';'), sha256('')].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const key = [stamp.slice(0, 8), region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  return `${url.origin}${url.pathname}?${canonicalQuery}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`;
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** RFC 3986: stricter than encodeURIComponent. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
