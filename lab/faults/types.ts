/** Which front a rule watches. */
export type Target = 'kubernetes' | 'aws';

/** What to do with a request that matches. Several may be given; they happen in the order of this list. */
export interface FaultActions {
  /** Wait this long (ms). */
  latency?: number;
  /** Park the request until it is released (or its client hangs up). */
  hold?: boolean;
  /** Close the connection without an answer. */
  drop?: boolean;
  /** Answer with this HTTP status; before: instead of doing it, after: although it was done. */
  status?: number;
  /** Seconds in Retry-After, together with `status`. */
  retryAfter?: number;
  /** AWS error code that goes with `status` (default: Throttling for 400, ServiceUnavailable for 5xx). */
  code?: string;
  message?: string;
  /** Answer as that service does when it throttles (AWS: its own code and status; Kubernetes: 429 with Retry-After). */
  throttle?: boolean;
}

/** A fault, or only a tripwire when it has no action: every match is an event. */
export interface FaultRule extends FaultActions {
  /** Chosen when left out. */
  id?: string;
  target: Target;
  /** `before` the server sees the request (default), or `after` it has answered and before the client hears of it. */
  phase?: 'before' | 'after';
  /** Kubernetes: HTTP method (GET, POST, PUT, PATCH, DELETE) or WATCH. Regular expression, whole word. */
  method?: string;
  /** Kubernetes: regular expression on path with query. AWS: on the path. */
  path?: string;
  /** AWS: action name, for instance UpdateAddon. Regular expression, whole word. */
  action?: string;
  /** AWS: service name (autoscaling, ec2, eks, iam, sts). */
  service?: string;
  /** Regular expression on the request's body. */
  body?: string;
  /** Kubernetes: regular expression on the User-Agent. */
  client?: string;
  /** Only from the n-th match on (1 = the first). */
  nth?: number;
  /** How many matches it acts on; without it, all from `nth` on. */
  count?: number;
  /** Epoch milliseconds after which the rule does nothing. */
  until?: number;
}

/** One match of one rule. */
export interface FaultEvent {
  /** Ever growing, for `after=`. */
  seq: number;
  rule: string;
  target: Target;
  phase: 'before' | 'after';
  /** The how-manieth match of that rule. */
  match: number;
  /** Whether the rule acted on it (`nth`, `count` and `until` decide). */
  acted: boolean;
  method: string;
  path: string;
  action: string;
  /** HTTP status of the server, for `after`. */
  status?: number;
  at: string;
}
