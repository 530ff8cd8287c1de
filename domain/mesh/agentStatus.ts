/** What `cilium status -o json` of one agent says of the mesh. */
interface AgentStatus {
  'cluster-mesh'?: { clusters?: { name?: string; connected?: boolean; ready?: boolean; 'num-failures'?: number }[] };
}

/** Whether an agent is connected to every peer; undefined where what it said is no status. */
export function agentConnected(text: string, peers: readonly string[]): { connected: boolean; why: string | null } | undefined {
  const status = parsed(text);
  if (status === undefined) return undefined;
  const clusters = status['cluster-mesh']?.clusters ?? [];
  const missing = peers.filter((peer) => !clusters.some(({ name, ready, connected }) => name === peer && ready === true && connected !== false));
  return { connected: missing.length === 0, why: missing.length === 0 ? null : `not connected to ${missing.join(', ')}` };
}

function parsed(text: string): AgentStatus | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'cilium' in value ? (value as AgentStatus) : undefined;
  } catch {
    return undefined;
  }
}
