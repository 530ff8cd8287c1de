import { z } from 'zod';
import { API_VERSION } from '../../domain/spec/words.js';
import { manifestSchema } from '../../domain/spec/schema.js';

type JsonSchema = Record<string, unknown>;

/**
 * The JSON Schema of SPEC as a person writes it (defaults not yet filled in). Rules that zod keeps in code are added here,
 * so that an editor says the same as `ciliate plan`.
 */
export function manifestJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(manifestSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === manifestSchema.shape.spec.shape.cluster) {
        jsonSchema.oneOf = [{ required: ['kubeconfig'] }, { required: ['eks'], properties: { region: false, context: false, aws: false } }];
      }
      if (zodSchema === manifestSchema.shape.spec.shape.cilium.shape.clusterName.unwrap()) jsonSchema.not = { const: 'default' };
    },
  });
  return { ...schema, title: title('ClusterMigration') };
}

/** Of a kind whose rules zod can tell by itself. */
export function titled(schema: z.ZodType, kind: string): JsonSchema {
  return { ...z.toJSONSchema(schema, { io: 'input' }), title: title(kind) };
}

function title(kind: string): string {
  return `${kind} (${API_VERSION})`;
}
