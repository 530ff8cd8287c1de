import { z } from 'zod';
import { CiliateError } from '../../domain/failures.js';
import { objectName } from '../../domain/spec/common.js';
import { EXPOSURES } from '../../domain/spec/mesh.js';
import type { MeshInput } from '../../domain/spec/mesh.js';
import type { Manifest } from '../../domain/spec/schema.js';

const schema = z.strictObject({ name: objectName, expose: z.enum(EXPOSURES), clusters: z.array(z.unknown()).min(2).max(127) });

/**
 * Strictly validates the mesh that a workflow was started with; each cluster as `start` does.
 * @throws CiliateError Permanent `InvalidMesh`, or what `manifest` throws
 */
export function meshInput(input: unknown, manifest: (input: unknown) => Manifest): MeshInput {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { ...parsed.data, clusters: parsed.data.clusters.map(manifest) };
  throw new CiliateError(
    'Permanent',
    { object: 'Mesh', expected: '{name, expose, clusters}, the clusters as whole ClusterMigrations', seen: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'mesh'}: ${issue.message}`).join('; '), todo: 'Start it with `ciliate mesh connect -f MESH`.' },
    { code: 'InvalidMesh' },
  );
}
