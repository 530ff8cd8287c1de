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

export interface Addresses {
  /** Whether the operator gave the node any. */
  has: boolean;
  /** How many there are and how many of them nobody uses; absent where the CiliumNode does not tell (pools of prefixes). */
  count?: { all: number; free: number };
  /** The operator's complaint where it could not give them. */
  error?: string;
}

/** An address that is in use stays in `spec.ipam.pool` and is added to `status.ipam.used` (Cilium's CRD reference). */
export function addressesOf(node: CiliumNodeLike): Addresses {
  const pool = Object.keys(node.spec?.ipam?.pool ?? {});
  const used = node.status?.ipam?.used ?? {};
  const pools = (node.spec?.ipam?.pools?.allocated ?? []).some((entry) => (entry.cidrs ?? []).length > 0);
  const error = node.status?.ipam?.['operator-status']?.error;
  return {
    has: pool.length > 0 || pools,
    ...(pool.length > 0 && !pools ? { count: { all: pool.length, free: pool.filter((address) => !Object.hasOwn(used, address)).length } } : {}),
    ...(error ? { error } : {}),
  };
}
