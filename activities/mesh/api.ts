import type { Finding } from '../../domain/findings.js';
import type { MeshProof } from '../../domain/mesh/run.js';
import type { Peer } from '../../domain/mesh/values.js';
import type { Exposure, MeshInput } from '../../domain/spec/mesh.js';
import type { ClusterRef, Manifest } from '../../domain/spec/schema.js';
import type { Look, Target } from '../api.js';

/** What preflight found, and what the later steps need of it. */
export interface MeshPlan {
  findings: Finding[];
  blocked: boolean;
  /** The cluster whose CA all get; null where none has one. */
  caSource: string | null;
  clusters: { cluster: string; nativeCidr: string | null }[];
}

export interface MeshRequest {
  target: Target;
  manifest: Manifest;
  mesh: string;
  expose: Exposure;
}

/** How a cluster is reached by the others, as its Service says. */
export type Exposed = Omit<Peer, 'name'>;

/**
 * Side effects of a mesh. Everything that writes asserts the Lease of its cluster first. Keys of the CA go from cluster to cluster
 * inside one activity and never through Temporal.
 */
export interface MeshActivities {
  /** Strictly validates what the workflow was started with. */
  readMesh(input: unknown): Promise<MeshInput>;
  /** Reads only: every cluster, its VPC and its security groups. */
  meshPreflight(input: { mesh: MeshInput }): Promise<MeshPlan>;
  /** Makes Secret cilium-ca that of `from`; the one before is kept in a Secret, the ledger knows before it changes. */
  shareCa(input: MeshRequest & { from: ClusterRef }): Promise<{ change: 'none' | 'created' | 'replaced' }>;
  /** Lays the values of the mesh over those of the release: ledger first, rendered and compared, then helm. Does not wait. */
  changeMesh(input: MeshRequest & { peers: Peer[] | null; ownNames: string[]; nativeCidr: string | null }): Promise<{ revision: number; changed: boolean }>;
  /** Look: agents, operator and clustermesh-apiserver are rolled out, and its Service has an address. */
  lookMesh(input: MeshRequest & { known: string }): Promise<Look & { exposed: Exposed | null }>;
  /** What can be shown of one cluster: Secrets, certificates, peers, and every agent's own word. */
  verifyMesh(input: MeshRequest & { peers: Peer[]; caOf: ClusterRef }): Promise<MeshProof>;
  /** Values, CA and Secrets as they were before; nothing is done where the ledger knows of no such mesh. */
  leaveMesh(input: MeshRequest): Promise<{ changed: boolean; left: string[] }>;
  /** Look: agents and operator are rolled out, clustermesh-apiserver and the Secrets of the peers are gone. */
  lookLeft(input: MeshRequest & { known: string }): Promise<Look>;
}
