import type { ProbesSpec } from '../spec/probes.js';

/** Whether any probe is asked for. Apart from the schema, so that workflows need not carry it. */
export function asksForProbes({ network, prometheus, http }: ProbesSpec): boolean {
  return network !== undefined || prometheus.length + http.length > 0;
}
