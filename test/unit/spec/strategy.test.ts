import { describe, expect, it } from 'vitest';
import { approvalsOf, STRATEGIES } from '../../../domain/spec/words.js';
import { parseSpec, SpecError } from '../../../starter/spec/read.js';

const spec = (more = '', values = '{}') => `apiVersion: ciliate.io/v1alpha1
kind: ClusterMigration
metadata: {name: prod-eu-1}
spec:
  cluster: {kubeconfig: ./kubeconfig}
  cilium: {version: 1.20.0, values: ${values}}
${more}`;
const parse = (more = '', values = '{}') => parseSpec(spec(more, values), { file: 'spec.yaml', folder: '/' }).spec;

function complaint(more: string, values = '{}'): string {
  try {
    parse(more, values);
  } catch (error) {
    if (error instanceof SpecError) return error.lines.join('\n');
    throw error;
  }
  throw new Error(`expected an error for: ${more}`);
}

describe('strategy', () => {
  it('is replace unless said otherwise', () => {
    expect(parse()).toMatchObject({ strategy: 'replace', chain: {}, clean: { addOns: [] } });
    for (const strategy of STRATEGIES) expect(parse(`  strategy: ${strategy}\n`).strategy).toBe(strategy);
  });

  it.each([
    ['  strategy: chian\n', /strategy: .*did you mean chain/],
    ['  chain: {acceptLimits: [l7]}\n', /no chain\.acceptLimits without strategy: chain/],
    ['  strategy: clean\n  chain: {acceptLimits: []}\n', /no chain\.acceptLimits without strategy: chain/],
    ['  strategy: chain\n  chain: {acceptLimits: [l8]}\n', /acceptLimits/],
    ['  clean: {addOns: [monitoring]}\n', /no clean\.addOns without strategy: clean/],
    ['  strategy: chain\n  clean: {addOns: [monitoring]}\n', /no clean\.addOns without strategy: clean/],
    ['  strategy: chain\n  approvals: [before-install, before-removal]\n', /no before-removal with strategy chain/],
    ['  strategy: chain\n  drain: {onTimeout: force}\n', /skip-to-end or wait with strategy chain/],
    ['  approvals: [accept-limits]\n', /approvals/],
  ])('%j is refused', (more, why) => expect(complaint(more)).toMatch(why));

  it.each([
    ['  strategy: chain\n  chain: {acceptLimits: [l7]}\n  approvals: [before-install]\n'],
    ['  strategy: chain\n  drain: {onTimeout: wait}\n'],
    // Its way back replaces nodes.
    ['  strategy: chain\n  approvals: [before-rollback, after-canary]\n'],
    ['  strategy: clean\n  clean: {addOns: [monitoring]}\n  approvals: [after-canary, before-removal]\n'],
    ['  clean: {addOns: []}\n  chain: {}\n'],
  ])('%j is taken', (more) => expect(() => parse(more)).not.toThrow());

  it('decides which values fight', () => {
    expect(complaint('', '{cni: {chainingMode: aws-cni}}')).toMatch(/cni\.chainingMode fights.*spec\.strategy: chain/);
    expect(() => parse('  strategy: chain\n', '{cni: {chainingMode: aws-cni, exclusive: false}}')).not.toThrow();
    for (const values of ['{cni: {chainingMode: portmap}}', '{cni: {exclusive: true}}', '{eni: {enabled: true}}', '{ipam: {mode: eni}}', '{encryption: {type: ipsec}}']) {
      expect(complaint('  strategy: chain\n', values)).toContain('fights the migration');
    }
    expect(() => parse('  strategy: clean\n', '{eni: {enabled: true}, ipam: {mode: eni}}')).not.toThrow();
  });
});

describe('the gate accept-limits', () => {
  it('is asked with chain, whatever else is approved, unless the spec accepts', () => {
    expect(approvalsOf(parse('  strategy: chain\n'))[0]).toBe('accept-limits');
    expect(approvalsOf(parse('  strategy: chain\n  approvals: []\n'))).toEqual(['accept-limits']);
    expect(approvalsOf(parse('  strategy: chain\n  chain: {acceptLimits: []}\n'))).not.toContain('accept-limits');
  });

  it('is not asked otherwise', () => {
    for (const strategy of ['replace', 'clean']) expect(approvalsOf(parse(`  strategy: ${strategy}\n`))).not.toContain('accept-limits');
  });
});
