import { CiliateError } from '../../domain/failures.js';

export interface HelmFailure {
  /** `helm upgrade`, without arguments: they may name files. */
  command: string;
  exitCode: number | undefined;
  stderr: string;
  timedOut: boolean;
  timeoutMs: number;
}

interface Pattern {
  kind: 'Transient' | 'Throttled' | 'NotYet' | 'Permanent';
  code?: string;
  matches: RegExp;
  todo: string;
}

/**
 * Helm has no machine-readable errors: its own words and those of client-go are all there is (seen with 3.19 and 4.3.1). The first
 * pattern that matches decides; what nobody knows is Permanent, since helm repeats a mistake for ever.
 */
const PATTERNS: Pattern[] = [
  {
    kind: 'NotYet',
    code: 'ReleasePending',
    matches: /another operation \(install\/upgrade\/rollback\) is in progress/,
    todo: 'Somebody runs helm on this release, or a run was cut off: it is looked at again.',
  },
  {
    // Also in the words of a 403, but it passes: an earlier uninstall is still at work.
    kind: 'Transient',
    code: 'Terminating',
    matches: /because it is being terminated|object is being deleted/,
    todo: 'Something of an earlier installation is still being deleted; it is tried again.',
  },
  { kind: 'Permanent', code: 'Forbidden', matches: /is forbidden: |\(Forbidden\)|Unauthorized|must be logged in|HTTP 40[13]/, todo: 'Give the worker the permissions in deploy/rbac.yaml.' },
  { kind: 'Throttled', matches: /Too Many Requests|too many requests|\b429\b|throttl/i, todo: 'The API server or registry limits the rate; it is tried again.' },
  {
    kind: 'Permanent',
    code: 'ChartInvalid',
    matches: /execution error at|parse error|values don't meet the specifications|nil pointer evaluating|chart requires kubeVersion|error calling|YAML parse error|template: /,
    todo: 'Change spec.cilium.values or spec.cilium.version.',
  },
  {
    kind: 'Permanent',
    code: 'ObjectNotOurs',
    matches: /cannot be imported into the current release|invalid ownership metadata|Apply failed with \d+ conflict/,
    todo: 'Remove the object, or give it to the release (labels and annotations of Helm), then retry.',
  },
  {
    kind: 'Transient',
    code: 'Unreachable',
    matches:
      /connection refused|connection reset|no such host|i\/o timeout|TLS handshake timeout|Client\.Timeout|context deadline exceeded|deadline exceeded|network is unreachable|no route to host|unexpected EOF|: EOF|broken pipe|http2: |server closed|server is currently unable|ServiceUnavailable|Service Unavailable|Bad Gateway|Gateway Time-?out|Internal error occurred|InternalError|internal server error|HTTP 5\d\d|\b50[0234]\b|etcdserver: |leader changed|the object has been modified|Operation cannot be fulfilled|unable to retrieve the complete list of server APIs|Kubernetes cluster unreachable/i,
    todo: 'It is tried again until it works.',
  },
];

/** What helm said, as one of our failure kinds. Helm's own message is kept. */
export function helmError(failure: HelmFailure): CiliateError {
  const said = lastWords(failure.stderr);
  if (failure.timedOut) {
    return new CiliateError(
      'Transient',
      { object: failure.command, expected: `an end within ${failure.timeoutMs / 1000} s`, seen: `none, so it was killed${said === '' ? '' : ` (${said})`}`, todo: 'It is tried again.' },
      { code: 'HelmTimeout' },
    );
  }
  const pattern = PATTERNS.find(({ matches }) => matches.test(failure.stderr));
  const todo = pattern?.todo ?? 'Read what helm said, change the spec or the cluster, then retry.';
  return new CiliateError(
    pattern?.kind ?? 'Permanent',
    { object: failure.command, expected: 'success', seen: said === '' ? `exit code ${failure.exitCode ?? 'none'} without a word` : said, todo },
    { code: pattern?.code ?? 'HelmFailed', ...(pattern?.kind === 'NotYet' ? { retryAfterMs: 5000 } : {}) },
  );
}

/** Helm's error lines without warnings, on one line, at most 2,000 characters (a template error may quote a whole manifest). */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^(WARNING|level=WARN|time=\S+ level=WARN|coalesce\.go|warning:)/i.test(line.trim()));
  const text = lines.join(' ').trim();
  return text.length <= 2000 ? text : `${text.slice(0, 1000)} … ${text.slice(-1000)}`;
}
