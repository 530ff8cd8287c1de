import { ClientPool } from '../../activities/clients/index.js';
import { inspectMesh } from '../../activities/mesh/inspect.js';
import type { MeshStatus } from '../../domain/mesh/run.js';
import type { MeshInput } from '../../domain/spec/mesh.js';
import { directly, expectKubeconfig } from '../direct.js';

/** How a mesh stands by its clusters' own objects, from this machine and without Temporal; reads only. */
export async function lookAtMesh(mesh: MeshInput): Promise<MeshStatus> {
  for (const manifest of mesh.clusters) expectKubeconfig(manifest);
  return directly(() => inspectMesh(new ClientPool(), mesh));
}
