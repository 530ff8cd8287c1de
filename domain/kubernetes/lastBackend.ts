/** One endpoint of a Service, as far as it matters here. */
export interface Backend {
  /** Absent means ready (EndpointSlice API). */
  ready?: boolean;
  /** Of its pod; absent where no pod stands behind it. */
  podUid?: string;
}

/** Whether the pod is the last ready one of them. `going`: pods that are on their way out, whatever a slice still says of them. */
export function isLastBackend(backends: readonly Backend[], podUid: string, going: ReadonlySet<string>): boolean {
  const ready = backends.filter((backend) => backend.ready !== false);
  if (!ready.some((backend) => backend.podUid === podUid)) return false;
  return ready.every((backend) => backend.podUid === podUid || (backend.podUid !== undefined && going.has(backend.podUid)));
}

/** The pod that would be refused if its drain began now, by UID; undefined where there is none or more than one is ready. */
export function lastBackendOf(backends: readonly Backend[]): string | undefined {
  return backends.find(({ podUid }) => podUid !== undefined && isLastBackend(backends, podUid, NONE))?.podUid;
}

const NONE: ReadonlySet<string> = new Set();

/** Of an admission webhook, mutating or validating, what decides whether it holds a drain up. */
export interface WebhookLike {
  /** Absent means Fail (admissionregistration.k8s.io/v1). */
  failurePolicy?: string;
  clientConfig: { service?: { namespace: string; name: string } };
}

/** Whether writes fail while nothing answers it. */
export function failsClosed({ failurePolicy }: WebhookLike): boolean {
  return failurePolicy !== 'Ignore';
}
