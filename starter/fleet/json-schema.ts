import { z } from 'zod';
import { fleetSchema } from '../../domain/fleet/schema.js';
import { manifestJsonSchema } from '../spec/json-schema.js';

type JsonSchema = Record<string, unknown>;

const TITLE = 'Fleet (ciliate.io/v1alpha1)';

/** The JSON Schema of FLEET as a person writes it; `defaults` and `overrides` know every key of a ClusterMigration's spec and need none. */
export function fleetJsonSchema(): JsonSchema {
  const { shape } = fleetSchema.shape.spec;
  const part = optional(specOf(manifestJsonSchema()));
  const parts: unknown[] = [shape.defaults.unwrap(), shape.rings.element.shape.clusters.element.shape.overrides.unwrap()];
  const schema = z.toJSONSchema(fleetSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (parts.includes(zodSchema)) {
        for (const key of Object.keys(jsonSchema)) delete (jsonSchema as JsonSchema)[key];
        Object.assign(jsonSchema, part);
      }
      if (zodSchema === shape.rings.element.shape.clusters.element) jsonSchema.oneOf = [{ required: ['file'] }, { required: ['select'] }];
    },
  });
  return { ...schema, title: TITLE };
}

function specOf(schema: JsonSchema): JsonSchema {
  return (schema['properties'] as Record<string, JsonSchema>)['spec'] ?? {};
}

/** Without what must be there: it may stand in another place. */
function optional(value: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, entry]) => !(key === 'required' && Array.isArray(entry)) && key !== 'oneOf' && key !== 'default')
      .map(([key, entry]) => [key, isMapping(entry) ? optional(entry) : entry]),
  );
}

function isMapping(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
