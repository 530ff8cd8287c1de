import { fleetJsonSchema } from '../fleet/json-schema.js';
import { manifestJsonSchema } from './json-schema.js';

/** What is shipped in schemas/ (npm run build writes it): a new kind is one more line. */
export const SCHEMAS: Record<string, () => Record<string, unknown>> = {
  'clustermigration.schema.json': manifestJsonSchema,
  'fleet.schema.json': fleetJsonSchema,
};
