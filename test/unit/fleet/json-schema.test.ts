import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { fleetSchema } from '../../../domain/fleet/schema.js';
import { fleetJsonSchema } from '../../../starter/fleet/json-schema.js';

const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(fleetJsonSchema());
const text = readFileSync(fileURLToPath(new URL('../../../docs/fleet.md', import.meta.url)), 'utf8');
const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '').filter((yaml) => yaml.includes('kind: Fleet'));

describe('the JSON Schema of FLEET', () => {
  it('and the program both accept what the documentation shows', () => {
    expect(examples.length).toBeGreaterThan(0);
    for (const yaml of examples) {
      const fleet: unknown = parse(yaml);
      expect(validate(fleet), JSON.stringify(validate.errors)).toBe(true);
      expect(fleetSchema.safeParse(fleet).error?.issues).toBeUndefined();
    }
  });
  const fleet = (ring: object, spec: object = {}): object => ({ apiVersion: 'ciliate.io/v1alpha1', kind: 'Fleet', metadata: { name: 'f' }, spec: { rings: [{ name: 'r', clusters: [{ file: 'a.yaml' }], ...ring }], ...spec } });
  it.each([
    ['an unknown key', fleet({ parallel: 3 })],
    ['nobody in a ring', fleet({ clusters: [] })],
    ['neither file nor select', fleet({ clusters: [{ taskQueue: 'q' }] })],
    ['an id out of range', fleet({}, { clusterIds: { from: 0, to: 200 } })],
  ])('and the program both refuse %s', (_, manifest) => {
    expect(validate(manifest)).toBe(false);
    expect(fleetSchema.safeParse(manifest).success).toBe(false);
  });
  it('knows the keys of defaults, and needs none of them', () => {
    expect(validate(fleet({}, { defaults: { refresh: { maxSurge: 4 } } }))).toBe(true);
    expect(validate(fleet({}, { defaults: { refrsh: {} } }))).toBe(false);
  });
});
