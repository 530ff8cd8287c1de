import { meshVerdict } from '../../domain/mesh/run.js';
import type { MeshProof, MeshStatus } from '../../domain/mesh/run.js';
import type { Peer } from '../../domain/mesh/values.js';
import { ciliumNameOf } from '../../domain/mesh/names.js';
import type { MeshInput } from '../../domain/spec/mesh.js';
import type { ClientPool } from '../clients/index.js';
import { readCniLedger } from '../kubernetes/cniLedger.js';
import { planMesh } from './index.js';
import { exposure } from './look.js';
import { verifyMesh } from './verify.js';

/** How a mesh stands right now: preflight's findings, and the proofs of every cluster that is in it. Reads only. */
export async function inspectMesh(pool: ClientPool, mesh: MeshInput): Promise<MeshStatus> {
  const { findings, caSource } = await planMesh({ pool }, mesh);
  const seen = await Promise.all(
    mesh.clusters.map(async (manifest) => {
      const clients = await pool.for(manifest.spec.cluster);
      const [{ exposed }, ledger] = await Promise.all([exposure(clients, mesh.expose), readCniLedger(clients)]);
      return { manifest, clients, exposed, member: ledger.mesh?.mesh === mesh.name };
    }),
  );
  const source = seen.find(({ manifest }) => manifest.metadata.name === caSource) ?? seen[0];
  const clusters = await Promise.all(
    seen.map(async ({ manifest, clients, exposed, member }) => {
      const cluster = manifest.metadata.name;
      if (!member || source === undefined) return { cluster, note: 'not in this mesh', awaits: [], proof: null };
      const peers = seen.filter((other) => other.manifest !== manifest).flatMap((other): Peer[] => (other.exposed === null ? [] : [{ name: ciliumNameOf(other.manifest), ...other.exposed }]));
      const target = { migration: cluster, cluster: manifest.spec.cluster, holder: '' };
      const proof = await verifyMesh(clients, source.clients, { target, manifest, mesh: mesh.name, expose: mesh.expose, peers });
      const missing = mesh.clusters.length - 1 - peers.length;
      const problems = missing === 0 ? proof.problems : [...proof.problems, `${missing} of the other clusters have no address`];
      return { cluster, note: exposed === null ? 'has no address for the others' : `reached at ${exposed.hostname ?? exposed.ips?.join(', ') ?? ''}:${exposed.port}`, awaits: [], proof: { ...proof, problems } };
    }),
  );
  const proofs = clusters.flatMap(({ proof }): MeshProof[] => (proof === null ? [] : [proof]));
  const state = proofs.length === 0 ? 'disconnected' : proofs.length < clusters.length ? 'failed' : meshVerdict(proofs);
  const problem = {
    disconnected: null,
    connected: null,
    unproven: 'could not be proven: everything is in place, but agents could not be asked',
    failed: proofs.length < clusters.length ? 'only some of the clusters are in this mesh' : 'not as it must be',
  }[state];
  return { version: 1, mesh: mesh.name, verb: 'connect', state, step: 'verify', problem, findings, clusters };
}
