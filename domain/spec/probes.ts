import { z } from 'zod';

/**
 * `spec.probes`: what must hold after each node, beside what is always looked at. One shape a kind; the kinds themselves are in
 * activities/probes/.
 */
const text = z.string().min(1);
/** No user and password in it: a manifest stands in Temporal's history. */
const url = z
  .string()
  .regex(/^https?:\/\/[^\s@/?#]+([/?#]\S*)?$/, 'expected a URL such as https://shop.example.com/healthz, without user and password (headersFrom carries secrets)')
  .refine((value) => URL.canParse(value), { message: 'expected a URL such as https://shop.example.com/healthz' });

const timeoutSeconds = z.number().int().min(1).max(60);
const timeLimitSeconds = z.number().int().min(0).max(86_400);
const LIMIT = 'How long it may go on failing after a node was replaced; then it counts as a failure, and the run pauses itself';

const name = text.optional().describe('What it is called in status; its URL where absent');
/** Only variables that were made for this: a manifest must not be able to send any other secret of the worker anywhere. */
const headersFrom = z
  .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'expected the name of an HTTP header'), z.string().regex(/^CILIATE_PROBE_[A-Z0-9_]+$/, 'expected an environment variable of the worker, such as CILIATE_PROBE_TOKEN'))
  .default({})
  .describe('Headers by the environment variables of the worker that hold their whole value: {Authorization: CILIATE_PROBE_AUTH}. Where CILIATE_PROBE_AUTH_FILE is set, that file is read instead');

/** What a Prometheus query must return. */
export const EXPECTATIONS = ['positive', 'empty'] as const;

const httpSchema = z.strictObject({
  name,
  url: url.describe('What the worker asks for, with GET. Redirects are not followed'),
  status: z.number().int().min(100).max(599).optional().describe('Expected status; absent: 200 to 299'),
  body: z
    .string()
    .min(1)
    .refine((value) => isRegExp(value), { message: 'expected a regular expression' })
    .optional()
    .describe('Regular expression that the first 64 KiB of the body must match'),
  headersFrom,
  timeoutSeconds: timeoutSeconds.default(5).describe('How long one answer may take'),
  timeLimitSeconds: timeLimitSeconds.default(60).describe(LIMIT),
});

const prometheusSchema = z.strictObject({
  name,
  url: url.describe('Base URL of the Prometheus API; api/v1/query is added to its path'),
  query: text.describe('PromQL, an instant query'),
  expect: z
    .enum(EXPECTATIONS)
    .default('positive')
    .describe("positive: at least one series, and every value above 0, so that a metric that is missing fails too; empty: no series, as for the expression of an alert"),
  headersFrom,
  timeoutSeconds: timeoutSeconds.default(10).describe('How long one answer may take'),
  timeLimitSeconds: timeLimitSeconds.default(120).describe(LIMIT),
});

const networkSchema = z.strictObject({
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'expected the name of a namespace')
    .default('kube-system')
    .describe('Where the Jobs run. Their pods keep to the restricted Pod Security Standard'),
  image: z
    .string()
    .regex(/^\S+$/, 'expected an image reference')
    .default('busybox:1.37')
    .describe('Image with a shell, httpd, wget, nc and nslookup as in busybox; by digest where you pin images'),
  imagePullSecrets: z.array(text).default([]).describe('Names of pull secrets in that namespace'),
  egress: z
    .array(z.string().regex(/^[A-Za-z0-9.-]+:\d{1,5}$/, 'expected HOST:PORT'))
    .default([])
    .describe('Addresses outside, HOST:PORT, to which a TCP connection must succeed from both nodes'),
  timeoutSeconds: timeoutSeconds.default(5).describe('How long one check may take'),
  timeLimitSeconds: timeLimitSeconds.default(180).describe(LIMIT),
});

export const probesSchema = z
  .strictObject({
    network: networkSchema.optional().describe('Jobs on the new node and on an old one: pod traffic both ways, DNS, API server, egress. {}: with defaults'),
    prometheus: z.array(prometheusSchema).default([]).describe('Queries that must hold'),
    http: z.array(httpSchema).default([]).describe('URLs that must answer'),
  })
  .prefault({});

export type ProbesSpec = z.output<typeof probesSchema>;
export type HttpProbeSpec = z.output<typeof httpSchema>;
export type PrometheusProbeSpec = z.output<typeof prometheusSchema>;
export type NetworkProbeSpec = z.output<typeof networkSchema>;
export type ProbeKind = keyof ProbesSpec;

function isRegExp(value: string): boolean {
  try {
    return new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}
