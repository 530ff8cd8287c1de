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
