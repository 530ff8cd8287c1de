/** What a CiliumNode says of its addresses, in either layout (before and after ENI IPAM became multi-pool). */
export interface CiliumNodeLike {
  spec?: {
    eni?: Record<string, unknown>;
    ipam?: { pool?: Record<string, unknown>; pools?: { allocated?: { pool?: string; cidrs?: string[] }[] } };
  };
  status?: {
    eni?: { enis?: Record<string, { addresses?: string[]; prefixes?: string[] }> };
    ipam?: { used?: Record<string, unknown>; 'operator-status'?: { error?: string } };
  };
}

/** Whether the operator gave the node addresses, and its complaint where it could not. */
export function addressesOf(node: CiliumNodeLike): { has: boolean; error?: string } {
  const pool = Object.keys(node.spec?.ipam?.pool ?? {}).length;
  const pools = (node.spec?.ipam?.pools?.allocated ?? []).some((entry) => (entry.cidrs ?? []).length > 0);
  const error = node.status?.ipam?.['operator-status']?.error;
  return { has: pool > 0 || pools, ...(error ? { error } : {}) };
}
