import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { manifestSchema } from '../../../domain/spec/schema.js';
import { manifestJsonSchema } from '../../../starter/spec/json-schema.js';
import { SCHEMAS } from '../../../starter/spec/schemas.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(manifestJsonSchema());

/** Every ClusterMigration that the documentation shows. */
function examples(): { where: string; manifest: unknown }[] {
  const docs = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  return ['README.md', ...docs].flatMap((file) => {
    const text = readText(file);
    return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)]
      .map((match) => match[1] ?? '')
      .filter((yaml) => yaml.includes('kind: ClusterMigration'))
      .map((yaml, index) => ({ where: `${file}, example ${index + 1}`, manifest: parse(yaml) as unknown }));
  });
}

function readText(file: string): string {
  try {
    return readFileSync(root + file, 'utf8');
  } catch {
    return '';
  }
}

describe('JSON Schemas', () => {
  it.each(Object.entries(SCHEMAS))('%s is shipped as it is generated (npm run build writes it)', (name, schema) => {
    expect(JSON.parse(readText(`schemas/${name}`))).toEqual(JSON.parse(JSON.stringify(schema())));
  });
});

describe('the JSON Schema of SPEC', () => {

  it('finds examples in the documentation', () => {
    expect(examples().length).toBeGreaterThan(0);
  });

  it.each(examples())('and the program both accept $where', ({ manifest }) => {
    expect(validate(manifest), JSON.stringify(validate.errors)).toBe(true);
    expect(manifestSchema.safeParse(manifest).error?.issues).toBeUndefined();
  });

  const spec = (cluster: object, cilium: object = {}): object => ({
    apiVersion: 'ciliate.io/v1alpha1', kind: 'ClusterMigration', metadata: { name: 'a' }, spec: { cluster, cilium: { version: '1.20.0', ...cilium } },
  });
  it.each([
    ['neither kubeconfig nor eks', spec({})],
    ['both', spec({ kubeconfig: 'k', eks: { name: 'a', region: 'r' } })],
    ['eks beside a region', spec({ region: 'r', eks: { name: 'a', region: 'r' } })],
    ['an unknown key', spec({ kubeconfig: 'k', kubecfg: 'x' })],
    ['the cluster name "default"', spec({ kubeconfig: 'k' }, { clusterName: 'default' })],
    ['a negative surge', { ...spec({ kubeconfig: 'k' }), spec: { ...(spec({ kubeconfig: 'k' }) as { spec: object }).spec, refresh: { maxSurge: -1 } } }],
  ])('and the program both refuse %s', (_, manifest) => {
    expect(validate(manifest)).toBe(false);
    expect(manifestSchema.safeParse(manifest).success).toBe(false);
  });
});
