import { z } from 'zod';
import { objectName } from './common.js';
import { API_VERSION } from './words.js';
import type { Manifest } from './schema.js';

/** How the control plane of each cluster is reached by the others. */
export const EXPOSURES = ['nlb', 'nodePort'] as const;
export type Exposure = (typeof EXPOSURES)[number];

/** The Mesh document (MESH): clusters that are to find each other's pods. Strict, like SPEC. */
export const meshSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Mesh'),
  metadata: z.strictObject({ name: objectName.describe('Name of the mesh; one for good') }),
  spec: z.strictObject({
    clusters: z
      .array(z.strictObject({ file: z.string().min(1).describe("ClusterMigration of the cluster, relative to this file's folder") }))
      .min(2, 'expected at least two clusters')
      .max(127, 'expected at most 127 clusters')
      .describe('The clusters of the mesh; the first that has a CA shares it with the others'),
    expose: z
      .enum(EXPOSURES)
      .describe("How a cluster's clustermesh-apiserver is reached by the others: an internal Network Load Balancer, or port 32379 of its nodes"),
  }),
});

export type MeshDocument = z.output<typeof meshSchema>;

/** A mesh as its workflow is given it: the clusters' manifests in full, with absolute paths. */
export interface MeshInput {
  name: string;
  expose: Exposure;
  clusters: Manifest[];
}
