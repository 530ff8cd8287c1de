import { ApiException } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import type { FailureKind } from '../../domain/failures.js';
import { REQUEST_HEADER } from './http.js';

/** HTTP status of an answer of the API server; undefined for every other error. */
export function kubeStatus(error: unknown): number | undefined {
  return error instanceof ApiException ? error.code : undefined;
}

export function isNotFound(error: unknown): boolean {
  return kubeStatus(error) === 404;
}

export function isConflict(error: unknown): boolean {
  return kubeStatus(error) === 409;
}

/** `undefined` where the object is not there: 404 is an answer, not an error. */
export async function orUndefined<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Name of an error of the AWS SDK, e.g. `ValidationError`; undefined for every other error. */
export function awsErrorName(error: unknown): string | undefined {
  return isAwsError(error) ? error.name : undefined;
}

/** The API server's own words. */
export function kubeMessage(error: unknown): string {
  if (!(error instanceof ApiException)) return error instanceof Error ? error.message : String(error);
  const { message = `HTTP ${error.code}`, details } = statusOf(error);
  // Some messages say only that something is wrong; what it is stands in the causes.
  const causes = (details?.causes ?? []).flatMap((cause) => (cause.message === undefined || message.includes(cause.message) ? [] : [cause.message]));
  return [message, ...causes.slice(0, 3)].join('; ');
}

interface KubeStatus {
  message?: string;
  reason?: string;
  details?: { retryAfterSeconds?: number; causes?: { reason?: string; message?: string }[] };
}

/** Body of an error answer, parsed where it is a Status. */
export function statusOf(error: ApiException<unknown>): KubeStatus {
  const { body } = error;
  if (typeof body === 'object' && body !== null) return body as KubeStatus;
  try {
    return JSON.parse(String(body)) as KubeStatus;
  } catch {
    return { message: String(body).slice(0, 500) };
  }
}

/** Retry-After of a 429 or 503, in milliseconds. */
export function retryAfterMs(error: ApiException<unknown>): number | undefined {
  const seconds = statusOf(error).details?.retryAfterSeconds ?? Number(error.headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** Any error of a client library as one of ours; undefined where it is none of theirs. */
export function classify(error: unknown): CiliateError | undefined {
  if (error instanceof CiliateError) return error;
  if (error instanceof ApiException) return fromKube(error);
  // Wrapped causes too: the SDK's credential providers hide a socket error inside.
  if (isAwsError(error)) return fromAws(error);
  return fromSocket(error) ?? fromTemporal(error);
}

function fromKube(error: ApiException<unknown>): CiliateError {
  const request = error.headers[REQUEST_HEADER] ?? 'a request';
  const failure = (kind: FailureKind, code: string, todo: string): CiliateError =>
    new CiliateError(
      kind,
      { object: `API server, ${request}`, expected: 'success', seen: `${error.code} ${kubeMessage(error)}`, todo },
      { code, retryAfterMs: retryAfterMs(error), cause: error },
    );
  switch (error.code) {
    case 401:
      return failure('Transient', 'Unauthorized', 'Credentials are read anew and it is tried again; if it stays, renew the credentials of the worker for this cluster.');
    case 403:
      return failure('Permanent', 'Forbidden', 'Grant that verb on that resource to the worker (deploy/rbac.yaml), then retry.');
    case 404:
      return failure('Permanent', 'NotFound', 'Check that it exists and that the cluster is the one you mean.');
    case 409:
      return failure('Transient', 'Conflict', 'Somebody else changed it meanwhile; it is read and tried again.');
    case 408:
    case 410:
      return failure('Transient', 'Expired', 'It is tried again.');
    case 429:
      return failure('Throttled', 'TooManyRequests', 'It is tried again after the delay that the server asked for.');
    default:
      return error.code >= 500
        ? failure('Transient', 'ServerError', 'It is tried again; look at the API server if it stays.')
        : failure('Permanent', 'Refused', 'The API server refused the request as it stands; look at what it says.');
  }
}

interface AwsError extends Error {
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { headers?: Record<string, string> };
  $fault?: 'client' | 'server';
  $service?: string;
}

function isAwsError(error: unknown): error is AwsError {
  return error instanceof Error && ('$metadata' in error || '$fault' in error || CREDENTIALS.has(error.name));
}

const CREDENTIALS = new Set(['CredentialsProviderError', 'TokenProviderError', 'ProviderError']);
const STALE = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'AuthFailure',
  'RequestExpired',
  'InvalidIdentityToken',
]);
const THROTTLED = /Throttl|RequestLimitExceeded|TooManyRequests|SlowDown|PriorRequestNotComplete|BandwidthLimitExceeded/;
const DENIED = /AccessDenied|UnauthorizedOperation|NotAuthorized/;
/** Somebody else is changing the same thing. */
const BUSY = /ScalingActivityInProgress|ResourceContention|ResourceInUse|InstanceRefreshInProgress|DependencyViolation/;

function fromAws(error: AwsError): CiliateError {
  const status = error.$metadata?.httpStatusCode;
  const failure = (kind: FailureKind, code: string, todo: string): CiliateError =>
    new CiliateError(
      kind,
      { object: `AWS ${error.$service ?? ''}`.trim(), expected: 'success', seen: `${error.name}${status === undefined ? '' : ` (${status})`}: ${error.message}`, todo },
      { code, retryAfterMs: awsRetryAfter(error), cause: error },
    );
  if (THROTTLED.test(error.name) || status === 429) return failure('Throttled', 'AwsThrottled', 'It is tried again, later.');
  if (CREDENTIALS.has(error.name)) return failure('Transient', 'Unauthorized', 'It is tried again; if it stays, renew the AWS credentials of the worker (aws sso login, role, profile).');
  if (STALE.has(error.name)) return failure('Transient', 'Unauthorized', 'It is tried again; if it stays, renew the AWS credentials of the worker.');
  if (DENIED.test(error.name)) return failure('Permanent', 'AwsDenied', 'Allow that action to the role of the worker (deploy/iam.json), then retry.');
  if (BUSY.test(error.name)) return failure('Transient', 'AwsBusy', 'Another change is under way there; it is tried again.');
  if (error.$fault === 'server' || (status !== undefined && status >= 500)) return failure('Transient', 'AwsServerError', 'It is tried again.');
  const socket = fromSocket(error);
  if (socket !== undefined) return socket;
  return failure('Permanent', error.name, 'AWS refused the request as it stands; look at what it says.');
}

function awsRetryAfter(error: AwsError): number | undefined {
  const seconds = Number(error.$response?.headers?.['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

const SOCKET = /^(ECONN\w+|ENOTFOUND|EAI_\w+|ETIMEDOUT|ESOCKETTIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL|UND_ERR_\w+|ERR_STREAM_PREMATURE_CLOSE)$/;
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS/;

/** Errors of sockets, DNS and TLS, however deeply wrapped. */
function fromSocket(error: unknown): CiliateError | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = 'code' in at ? String(at.code) : '';
    const transient = SOCKET.test(code) || at.name === 'TimeoutError' || /socket hang up|premature close/i.test(at.message);
    if (!transient && !CERTIFICATE.test(code)) continue;
    const text = {
      object: 'connection',
      expected: 'an answer',
      seen: at.message || code,
      todo: transient ? 'It is tried again; check that the worker reaches that address.' : 'Correct the certificate authority in the kubeconfig or the AWS settings.',
    };
    return new CiliateError(transient ? 'Transient' : 'Permanent', text, { code: transient ? 'Unreachable' : 'Certificate', cause: error });
  }
  return undefined;
}

/** Temporal's own service, asked by takeLease. */
function fromTemporal(error: unknown): CiliateError | undefined {
  if (!(error instanceof Error) || error.name !== 'ServiceError') return undefined;
  return new CiliateError(
    'Transient',
    { object: 'Temporal service', expected: 'an answer', seen: error.cause instanceof Error ? error.cause.message : error.message, todo: 'It is tried again.' },
    { code: 'TemporalUnavailable', cause: error },
  );
}
