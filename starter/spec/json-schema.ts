import { z } from 'zod';
import { manifestSchema } from '../../domain/spec/schema.js';

/** Reference for an editor: `# yaml-language-server: $schema=…/schemas/clustermigration.schema.json`. */
const SCHEMA_TITLE = 'ClusterMigration (ciliate.io/v1alpha1)';

/**
 * The JSON Schema of SPEC as a person writes it (defaults not yet filled in). Rules that zod keeps in code are added here,
 * so that an editor says the same as `ciliate plan`.
 */
export function manifestJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(manifestSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === manifestSchema.shape.spec.shape.cluster) {
        jsonSchema.oneOf = [{ required: ['kubeconfig'] }, { required: ['eks'], properties: { region: false, context: false, aws: false } }];
      }
      if (zodSchema === manifestSchema.shape.spec.shape.cilium.shape.clusterName.unwrap()) jsonSchema.not = { const: 'default' };
    },
  });
  return { ...schema, title: SCHEMA_TITLE };
}
