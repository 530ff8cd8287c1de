import type { Finding } from '../findings.js';
import type { Blocker } from '../refresh.js';
import type { MeshInput } from '../spec/mesh.js';

export type MeshVerb = 'connect' | 'disconnect';

/** What the workflow of one mesh is started with. */
export interface MeshOrder {
  verb: MeshVerb;
  mesh: MeshInput;
}

export const MESH_STEPS = ['preflight', 'share-ca', 'expose', 'connect', 'verify', 'disconnect', 'end'] as const;
export type MeshStep = (typeof MESH_STEPS)[number];

/** What was shown of one cluster's part. `silent`: agents that could not be asked; nothing is claimed of them. */
export interface MeshProof {
  proofs: string[];
  problems: string[];
  agents: { asked: number; connected: number; silent: number; why: string | null };
}

/** One cluster of a mesh. Stable: keys are only ever added. */
export interface MeshClusterStatus {
  cluster: string;
  /** What was done there last. */
  note: string | null;
  awaits: Blocker[];
  proof: MeshProof | null;
}

/** How connecting or disconnecting stands or ended. `unproven`: everything is in place, but no agent could be asked. */
export interface MeshStatus {
  version: 1;
  mesh: string;
  verb: MeshVerb;
  state: 'running' | 'connected' | 'unproven' | 'disconnected' | 'blocked' | 'failed';
  step: MeshStep;
  problem: string | null;
  findings: Finding[];
  clusters: MeshClusterStatus[];
}

/** What the proofs of all clusters come to. */
export function meshVerdict(proofs: readonly MeshProof[]): 'connected' | 'unproven' | 'failed' {
  if (proofs.some(({ problems, agents }) => problems.length > 0 || agents.connected + agents.silent < agents.asked)) return 'failed';
  return proofs.length > 0 && proofs.every(({ agents }) => agents.asked > 0 && agents.connected === agents.asked) ? 'connected' : 'unproven';
}
