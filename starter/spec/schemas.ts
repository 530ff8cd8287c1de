import { meshSchema } from '../../domain/spec/mesh.js';
import { crossClusterPolicySchema } from '../../domain/spec/policy.js';
import type { Kind } from '../../domain/spec/words.js';
import { fleetJsonSchema } from '../fleet/json-schema.js';
import { manifestJsonSchema, titled } from './json-schema.js';

/**
 * What is shipped in schemas/ (npm run build writes it), by its file's name: each kind has one. For an editor:
 * `# yaml-language-server: $schema=…/schemas/NAME`.
 */
export const SCHEMAS: Record<`${Lowercase<Kind>}.schema.json`, () => Record<string, unknown>> = {
  'clustermigration.schema.json': manifestJsonSchema,
  'fleet.schema.json': fleetJsonSchema,
  'mesh.schema.json': () => titled(meshSchema, 'Mesh'),
  'crossclusterpolicy.schema.json': () => titled(crossClusterPolicySchema, 'CrossClusterPolicy'),
};
