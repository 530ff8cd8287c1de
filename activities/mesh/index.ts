import { checkMesh, caSource, nativeCidrFor } from '../../domain/mesh/preflight.js';
import type { MeshInput } from '../../domain/spec/mesh.js';
import type { Target } from '../api.js';
import type { Clients } from '../clients/index.js';
import { readManifest } from '../clients/manifest.js';
import type { ActivityDeps } from '../index.js';
import { assertHolder } from '../kubernetes/lease.js';
import type { MeshActivities, MeshPlan } from './api.js';
import { shareCa } from './ca.js';
import { changeMesh, leaveMesh } from './change.js';
import { meshInput } from './input.js';
import { lookLeft, lookMesh } from './look.js';
import { observeMember } from './observe.js';
import { verifyMesh } from './verify.js';

type Deps = Pick<ActivityDeps, 'pool' | 'cacheDir'>;

/** Observes every cluster of a mesh and says what is in the way; reads only. */
export async function planMesh({ pool }: Pick<Deps, 'pool'>, mesh: MeshInput): Promise<MeshPlan> {
  const members = await Promise.all(mesh.clusters.map(async (manifest) => observeMember(await pool.for(manifest.spec.cluster), manifest)));
  const findings = checkMesh({ mesh: mesh.name, expose: mesh.expose, members });
  return {
    findings,
    blocked: findings.some(({ severity }) => severity === 'blocker'),
    caSource: caSource(members)?.name ?? null,
    clusters: members.map((member) => ({ cluster: member.name, nativeCidr: nativeCidrFor(member, members) })),
  };
}

/** Activities of a mesh, each on clients of the clusters that its input names. */
export function createMeshActivities({ pool, cacheDir }: Deps): MeshActivities {
  const write = async (target: Target): Promise<Clients> => {
    const clients = await pool.for(target.cluster);
    await assertHolder(clients, target);
    return clients;
  };
  return {
    readMesh: (input) => Promise.resolve().then(() => meshInput(input, readManifest)),
    meshPreflight: ({ mesh }) => planMesh({ pool }, mesh),
    shareCa: async ({ target, from, mesh }) => shareCa(await write(target), await pool.for(from), mesh),
    changeMesh: async (input) => changeMesh(await write(input.target), input, cacheDir),
    lookMesh: async (input) => lookMesh(await write(input.target), input),
    verifyMesh: async (input) => verifyMesh(await pool.for(input.target.cluster), await pool.for(input.caOf), input),
    leaveMesh: async (input) => leaveMesh(await write(input.target), input, cacheDir),
    lookLeft: async (input) => lookLeft(await write(input.target), input),
  };
}
