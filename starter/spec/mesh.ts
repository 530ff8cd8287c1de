import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ciliumNameOf } from '../../domain/mesh/names.js';
import { meshSchema } from '../../domain/spec/mesh.js';
import type { MeshInput } from '../../domain/spec/mesh.js';
import type { Manifest } from '../../domain/spec/schema.js';
import type { Complaint } from './explain.js';
import { parseDocument, readSource, readSpec } from './read.js';

/**
 * Reads a MESH and every ClusterMigration that it names, each as strictly as `start` does.
 * @throws SpecError that names every problem with its file and line
 */
export function readMesh(file: string, options: { needsChart?: boolean } = {}): MeshInput {
  const { text, source } = readSource(file, 'Mesh');
  const { data, refuse } = parseDocument(text, source, { kind: 'Mesh', schema: meshSchema });
  const clusters = data.spec.clusters.map(({ file: path }) => readSpec(beside(source.folder, path), options));
  const wrong = twice(clusters);
  if (wrong.length > 0) throw refuse(wrong);
  return { name: data.metadata.name, expose: data.spec.expose, clusters };
}

function beside(folder: string, path: string): string {
  return resolve(folder, path.startsWith('~/') ? join(homedir(), path.slice(2)) : path);
}

/** The same cluster named twice; that ids differ in the clusters themselves is preflight's to say. */
function twice(clusters: Manifest[]): Complaint[] {
  const keys: { what: string; of: (manifest: Manifest) => string }[] = [
    { what: 'metadata.name', of: ({ metadata }) => metadata.name },
    { what: 'spec.cilium.clusterName', of: ciliumNameOf },
  ];
  return clusters.flatMap((manifest, index) =>
    keys.slice(0, clusters.findIndex((other) => other.metadata.name === manifest.metadata.name) < index ? 1 : 2).flatMap(({ what, of }): Complaint[] => {
      const first = clusters.findIndex((other) => of(other) === of(manifest));
      if (first === index) return [];
      return [{ path: ['spec', 'clusters', index, 'file'], on: 'value', message: `spec.clusters[${index}].file: expected another ${what} in each file, saw ${of(manifest)} in that of clusters[${first}], too` }];
    }),
  );
}
