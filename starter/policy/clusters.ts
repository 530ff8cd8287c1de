import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { ciliumNameOf } from '../../domain/mesh/names.js';
import { CONNECT_MESH, migrationWorkflowId } from '../../domain/names.js';
import type { PolicyCluster } from '../../domain/policy/run.js';
import type { MeshInput } from '../../domain/spec/mesh.js';
import { manifestSchema } from '../../domain/spec/schema.js';
import type { Manifest } from '../../domain/spec/schema.js';
import { failedError } from '../exit.js';
import { startInput } from '../run/startInput.js';

/** How many meshes are looked through, newest first. */
const MESHES = 20;

/**
 * Finds clusters by the names that a POLICY uses: a migration of that name that Temporal knows, else a cluster of a mesh that was
 * connected (by its migration's name, or by its name in Cilium).
 * @throws ExitError (1) that names the one that nobody knows
 */
export async function findClusters(client: Client, names: readonly string[]): Promise<PolicyCluster[]> {
  let meshes: Promise<Manifest[]> | undefined;
  const found: PolicyCluster[] = [];
  for (const name of new Set(names)) {
    const manifest = (await ofMigration(client, name)) ?? (await (meshes ??= ofMeshes(client))).find((one) => one.metadata.name === name || ciliumNameOf(one) === name);
    if (manifest === undefined) {
      throw failedError(
        `cluster ${name}: Temporal (namespace ${client.options.namespace}) knows neither a migration of that name nor a mesh with it. Names are metadata.name of a ClusterMigration: start it, or connect its mesh`,
      );
    }
    found.push({ name, ciliumName: ciliumNameOf(manifest), cluster: manifest.spec.cluster });
  }
  return found;
}

async function ofMigration(client: Client, name: string): Promise<Manifest | undefined> {
  try {
    const description = await client.workflow.getHandle(migrationWorkflowId(name)).describe();
    const parsed = manifestSchema.safeParse(await startInput(client, description));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

async function ofMeshes(client: Client): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  let seen = 0;
  for await (const run of client.workflow.list({ query: `WorkflowType = '${CONNECT_MESH}'` })) {
    if (++seen > MESHES) break;
    const input = (await startInput(client, run)) as { mesh?: MeshInput } | undefined;
    for (const candidate of input?.mesh?.clusters ?? []) {
      const parsed = manifestSchema.safeParse(candidate);
      if (parsed.success) manifests.push(parsed.data);
    }
  }
  return manifests;
}
