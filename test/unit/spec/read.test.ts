import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalsOf, GATES } from '../../../domain/spec/words.js';
import { parseSpec, readSpec, SpecError } from '../../../starter/spec/read.js';
import { scratchFolder } from '../../support/scratch.js';

const folder = scratchFolder();
const source = { file: 'spec.yaml', folder };

const GOOD = `apiVersion: ciliate.io/v1alpha1
kind: ClusterMigration
metadata: {name: prod-eu-1}
spec:
  cluster: {kubeconfig: ./kubeconfig, context: prod, region: eu-west-1}
  cilium:
    version: 1.20.0
`;

/** The lines of the error that a text gives; fails when it gives none. */
function complaints(text: string): string[] {
  try {
    parseSpec(text, source);
  } catch (error) {
    if (error instanceof SpecError) {
      expect(error.code).toBe(2);
      return error.lines;
    }
    throw error;
  }
  throw new Error(`expected an error for:\n${text}`);
}

const only = (text: string): string => {
  const lines = complaints(text);
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
};

describe('limits of the refresh', () => {
  const refresh = (text: string) => GOOD.replace('cilium:', `refresh: {${text}}\n  cilium:`);

  it('are numbers or percentages, never both 0', () => {
    expect(parseSpec(refresh('maxSurge: 25%, maxUnavailable: 0'), source).spec.refresh).toMatchObject({ maxSurge: '25%', maxUnavailable: 0 });
    expect(only(refresh('maxSurge: 0, maxUnavailable: 0%'))).toMatch(/nothing could ever move/);
    expect(only(refresh('maxSurge: a few'))).toMatch(/percentage such as 25%/);
    expect(only(refresh('maxSurge: 2, shouldDecrementDesiredCapacity: true'))).toMatch(/cannot grow and shrink/);
  });

  it('leave alone what a label selector selects, which is checked before anything is asked', () => {
    expect(parseSpec(refresh("leaveAlone: 'pool in (db, cache), !spot'"), source).spec.refresh.leaveAlone).toBe('pool in (db, cache), !spot');
    expect(only(refresh("leaveAlone: 'pool in db'"))).toBe('spec.yaml:6:25: spec.refresh.leaveAlone: expected a label selector such as pool=db or pool in (db, cache), with "(" at character 9 instead of "db", saw "pool in db"');
    expect(only(refresh("leaveAlone: ' '"))).toMatch(/with a label key at its end/);
    expect(complaints(refresh("leaveAlone: ''")).join()).toMatch(/not empty/);
  });

  it('have no gate after a canary that there is not', () => {
    expect(approvalsOf(parseSpec(refresh('canary: false'), source).spec)).not.toContain('after-canary');
    expect(only(`${refresh('canary: false')}  approvals: [after-canary]\n`)).toMatch(/no canary to approve/);
  });
});

describe('probes', () => {
  const probes = (text: string) => `${GOOD}  probes: ${text}\n`;

  it('are none unless asked for, and have defaults that need no thought', () => {
    expect(parseSpec(GOOD, source).spec.probes).toEqual({ prometheus: [], http: [] });
    const { spec } = parseSpec(probes('{network: {}, http: [{url: "https://shop.example.com/healthz"}], prometheus: [{url: "http://prometheus:9090", query: up}]}'), source);
    expect(spec.probes.network).toEqual({ namespace: 'kube-system', image: 'busybox:1.37', imagePullSecrets: [], egress: [], timeoutSeconds: 5, timeLimitSeconds: 180 });
    expect(spec.probes.prometheus).toMatchObject([{ expect: 'positive', timeoutSeconds: 10, timeLimitSeconds: 120, headersFrom: {} }]);
    expect(spec.probes.http).toEqual([{ url: 'https://shop.example.com/healthz', headersFrom: {}, timeoutSeconds: 5, timeLimitSeconds: 60 }]);
  });

  it('hold no secret, and send none that was not made for them', () => {
    expect(only(probes('{http: [{url: "https://me:secret@shop.example.com"}]}'))).toMatch(/without user and password/);
    expect(only(probes('{http: [{url: "https://shop.example.com", headersFrom: {Authorization: AWS_SECRET_ACCESS_KEY}}]}'))).toMatch(/such as CILIATE_PROBE_TOKEN/);
  });

  it.each([
    ['{http: [{url: ftp://shop}]}', /expected a URL/],
    ['{http: [{url: "http://shop", body: "("}]}', /regular expression/],
    ['{prometheus: [{url: "http://p"}]}', /query/],
    ['{network: {egress: [example.com]}}', /HOST:PORT/],
    ['{network: {namespace: Kube}}', /name of a namespace/],
    ['{dns: {}}', /dns/],
  ])('%s is refused', (text, why) => expect(complaints(probes(text)).join()).toMatch(why));
});

describe('a good SPEC', () => {
  it('gets its defaults', () => {
    const { spec } = parseSpec(GOOD, source);
    expect(spec.refresh).toEqual({ maxSurge: 0, maxUnavailable: 1, canary: true, failuresInARow: { canary: 1, later: 3 }, order: {}, shouldDecrementDesiredCapacity: false });
    expect(spec.drain).toEqual({ emptyDir: 'evict', barePods: 'block', timeLimitSeconds: 1_800, onTimeout: 'skip-to-end', surgeSingletons: false });
    expect(approvalsOf(spec)).toEqual(GATES.filter((gate) => gate !== 'accept-limits'));
    expect(spec.cilium).toMatchObject({ masquerade: 'auto', acceptPolicyGap: false, values: {} });
  });

  it('has its paths made absolute from its own folder', () => {
    const chart = join(folder, 'charts', 'cilium');
    mkdirSync(chart, { recursive: true });
    writeFileSync(join(chart, 'Chart.yaml'), 'name: cilium');
    const manifest = parseSpec(GOOD.replace('version: 1.20.0', 'version: 1.20.0\n    chart: charts/cilium'), source);
    expect(manifest.spec.cluster.kubeconfig).toBe(join(folder, 'kubeconfig'));
    expect(manifest.spec.cilium.chart).toBe(chart);
  });

  it('may be read from a file, with paths from that file\'s folder', () => {
    writeFileSync(join(folder, 'good.yaml'), GOOD);
    expect(readSpec(join(folder, 'good.yaml')).spec.cluster.kubeconfig).toBe(join(folder, 'kubeconfig'));
  });

  it('leaves a chart reference as it is', () => {
    const manifest = parseSpec(GOOD.replace('version: 1.20.0', 'version: 1.20.0\n    chart: oci://registry.example/charts/cilium'), source);
    expect(manifest.spec.cilium.chart).toBe('oci://registry.example/charts/cilium');
  });

  it('may use anchors, aliases and merge keys', () => {
    const manifest = parseSpec(GOOD.replace('version: 1.20.0', 'version: 1.20.0\n    values: {a: &a {x: 1}, b: *a, c: {<<: *a, y: 2}}'), source);
    expect(manifest.spec.cilium.values).toEqual({ a: { x: 1 }, b: { x: 1 }, c: { x: 1, y: 2 } });
  });
});

describe('an error names its line, what was expected and what was seen', () => {
  it('unknown key, with the nearest name', () => {
    expect(only(GOOD.replace('    version: 1.20.0', '    version: 1.20.0\n    acceptPolicyGaps: true'))).toBe(
      'spec.yaml:8:5: unknown key "acceptPolicyGaps" in spec.cilium: did you mean acceptPolicyGap?',
    );
  });

  it('unknown key beside a rule that then fails too: only the key is reported', () => {
    expect(only(GOOD.replace('kubeconfig:', 'kubeconfg:'))).toBe('spec.yaml:5:13: unknown key "kubeconfg" in spec.cluster: did you mean kubeconfig?');
  });

  it('a key that stands one level too high, with where it belongs', () => {
    expect(only(`${GOOD}  clusterId: 3\n`)).toBe('spec.yaml:8:3: unknown key "clusterId" in spec: clusterId belongs to spec.cilium');
  });

  it('a key that is nothing like any other, with all there are', () => {
    expect(only(GOOD.replace('{name: prod-eu-1}', '{name: prod-eu-1, zzzzzz: 1}'))).toContain('expected one of name');
  });

  it('missing key, at its parent', () => {
    expect(only(GOOD.replace('    version: 1.20.0\n', '    clusterId: 3\n'))).toBe('spec.yaml:7:5: spec.cilium.version is missing: expected version of the Cilium chart');
  });

  it('a number where a text is needed, and what YAML made of it', () => {
    expect(only(GOOD.replace('1.20.0', '1.20'))).toBe('spec.yaml:7:14: spec.cilium.version: expected a text, saw the number 1.2: put it in quotes, with every digit');
  });

  it('a value out of a list, with the nearest', () => {
    expect(only(`${GOOD}  approvals: [after-canry]\n`)).toBe(
      'spec.yaml:8:15: spec.approvals[0]: expected one of before-install, after-canary, before-enforcement, before-removal, before-rollback (did you mean after-canary?), saw "after-canry"',
    );
  });

  it('a value that fits none of several types', () => {
    expect(only(GOOD.replace('version: 1.20.0', 'version: 1.20.0\n    masquerade: maybe'))).toContain('expected auto or true or false, saw "maybe"');
  });

  it('nothing where something is needed', () => {
    expect(only(GOOD.replace('version: 1.20.0', 'version: 1.20.0\n  refresh:'))).toContain('saw nothing: give it a value or leave the key out');
  });

  it('a duplicate key', () => {
    expect(only(`${GOOD}  cilium: {version: 1.19.0}\n`)).toBe('spec.yaml:8:3: duplicate key: cilium stands here a second time');
  });

  it('a second document', () => {
    expect(only(`${GOOD}---\n${GOOD}`)).toMatch(/^spec\.yaml:\d+:\d+: expected one document, saw a second one/);
  });

  it('both ways to name a cluster', () => {
    expect(only(GOOD.replace('context: prod, region: eu-west-1', 'eks: {name: a, region: eu-west-1}'))).toContain('expected exactly one of kubeconfig and eks');
  });

  it('broken YAML', () => {
    expect(only('a: [1, 2\nb: 3\n')).toMatch(/^spec\.yaml:\d+:\d+: not valid YAML: /);
  });

  it('an alias without its anchor', () => {
    expect(complaints(`${GOOD}  soakSeconds: *nowhere\n`).join('\n')).toMatch(/^spec\.yaml:\d+:\d+: /);
  });

  it('an alias that unfolds without end', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]', ...'bcdefgh'.split('').map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`)].join('\n');
    expect(complaints(bomb).join('\n')).toContain('aliases cannot be unfolded');
  });

  it('an empty file, a list, a text', () => {
    expect(only('')).toContain('saw an empty file');
    expect(only('# only a comment\n')).toContain('saw an empty file');
    expect(only('- a\n')).toContain('expected a mapping');
    expect(only('hello\n')).toContain('expected a mapping');
  });

  it('a chart that is not there', () => {
    expect(only(GOOD.replace('version: 1.20.0', 'version: 1.20.0\n    chart: ./nowhere.tgz'))).toMatch(/^spec\.yaml:8:12: spec\.cilium\.chart: no such chart: .*nowhere\.tgz/);
  });

  it('a chart folder without a chart, and a scheme that Helm does not know', () => {
    mkdirSync(join(folder, 'empty'), { recursive: true });
    expect(only(GOOD.replace('version: 1.20.0', 'version: 1.20.0\n    chart: ./empty'))).toContain('a folder without Chart.yaml');
    expect(only(GOOD.replace('version: 1.20.0', 'version: 1.20.0\n    chart: ftp://x/y'))).toContain('expected a path, oci:// or https://');
  });

  it('a file that is not there, a folder', () => {
    expect(() => readSpec(join(folder, 'nope.yaml'))).toThrow(/no such file; -f takes the path of a ClusterMigration/);
    expect(() => readSpec(folder)).toThrow(/expected a file, saw a folder/);
  });

  it('a key of values that fights the migration, at its own line', () => {
    const values = GOOD.replace('version: 1.20.0', 'version: 1.20.0\n    values:\n      operator:\n        replicas: 2\n      ipam:\n        mode: cluster-pool\n      affinity: {}');
    const lines = complaints(values);
    expect(lines).toContainEqual(expect.stringMatching(/^spec\.yaml:12:9: spec\.cilium\.values\.ipam\.mode fights the migration: /));
    expect(lines).toContainEqual(expect.stringMatching(/^spec\.yaml:13:7: spec\.cilium\.values\.affinity fights the migration: /));
    expect(lines).toHaveLength(2);
  });

  it('tags that are no JSON, keys that are no text', () => {
    expect(only(`${GOOD}  soakSeconds: !!binary aGVsbG8=\n`)).toContain('expected plain YAML, saw the tag !!binary');
    expect(only(`${GOOD}  ? [a, b]\n  : 1\n`)).toContain('expected a text as key');
  });

  it('all of them at once', () => {
    const text = GOOD.replace('1.20.0', '2.0.0').replace('prod-eu-1', 'PROD').replace('kind: ClusterMigration', 'kind: Migration');
    expect(complaints(text).map((line) => line.split(':').slice(0, 2).join(':'))).toEqual(['spec.yaml:2', 'spec.yaml:3', 'spec.yaml:7']);
  });
});

describe('whatever is typed', () => {
  it('either is read or gives errors with a line that exists, and never throws anything else', () => {
    const lines = GOOD.split('\n');
    const mutation = fc.record({ at: fc.nat(GOOD.length), cut: fc.nat(12), put: fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('{', '}', '- ', ': ', '&a', '*a', '\t', '\n', '"', '---\n', '<<: ', '!!binary ', '__proto__: 1')) });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const text = mutations.reduce((now, { at, cut, put }) => now.slice(0, at) + put + now.slice(at + cut), GOOD);
        try {
          parseSpec(text, source);
        } catch (error) {
          expect(error).toBeInstanceOf(SpecError);
          for (const line of (error as SpecError).lines) {
            const [, row] = /^spec\.yaml:(\d+):\d+: \S/.exec(line) ?? [];
            expect(Number(row)).toBeGreaterThan(0);
            expect(Number(row)).toBeLessThanOrEqual(lines.length + 20);
          }
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('an unknown key anywhere is refused, at the line it stands on', () => {
    const places = ['metadata', 'spec', 'spec.cluster', 'spec.cilium', 'spec.refresh', 'spec.drain'] as const;
    const indents: Record<(typeof places)[number], string> = {
      metadata: 'metadata:\n  KEY: 1\n  name: a',
      spec: '  KEY: 1\n  soakSeconds: 1',
      'spec.cluster': '  cluster:\n    KEY: 1\n    kubeconfig: k',
      'spec.cilium': '  cilium:\n    KEY: 1\n    version: 1.20.0',
      'spec.refresh': '  refresh:\n    KEY: 1\n    maxSurge: 0',
      'spec.drain': '  drain:\n    KEY: 1\n    emptyDir: evict',
    };
    const known = new Set(['name', 'cluster', 'cilium', 'refresh', 'drain', 'approvals', 'eks', 'context', 'region', 'aws', 'version', 'chart', 'values']);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.stringMatching(/^[a-z]{4,12}$/).filter((key) => !known.has(key)), (place, key) => {
        const blocks = places.filter((one) => one !== 'metadata' && one !== 'spec').map((one) => (one === place ? indents[one] : indents[one].replace('    KEY: 1\n', '')));
        const head = (place === 'metadata' ? indents.metadata : 'metadata:\n  name: a') + '\nspec:\n' + (place === 'spec' ? indents.spec : '  soakSeconds: 1');
        const text = `apiVersion: ciliate.io/v1alpha1\nkind: ClusterMigration\n${head}\n${blocks.join('\n')}\n`.replace('KEY', key);
        const row = text.split('\n').findIndex((line) => line.trim() === `${key}: 1`) + 1;
        expect(only(text)).toMatch(new RegExp(`^spec\\.yaml:${row}:\\d+: unknown key "${key}" in ${place.replace('.', '\\.')}`));
      }),
      { numRuns: 200 },
    );
  });
});
