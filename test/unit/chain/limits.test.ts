import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { limitSaid, limitsOf, limitText } from '../../../domain/chain/limits.js';
import type { ObservedCluster } from '../../../domain/observation.js';
import { CHAIN_LIMITS } from '../../../domain/spec/words.js';
import { awsNode, cluster } from '../planner/cluster.js';

const ALWAYS = CHAIN_LIMITS.filter((id) => id !== 'security-groups');
const pods = { ...cluster().pods, podEni: [{ namespace: 'shop', name: 'db-1' }] };

describe('limits of chaining', () => {
  it('hold for every cluster, but for one', () => expect(limitsOf(cluster())).toEqual(ALWAYS));

  it.each<[string, Partial<ObservedCluster>]>([
    ['pods that ask for a branch interface', { pods }],
    ['SecurityGroupPolicies', { securityGroupPolicies: [{ namespace: 'shop', name: 'db' }] }],
    ['ENABLE_POD_ENI', { awsNode: awsNode({ env: { ENABLE_POD_ENI: 'True' } }) }],
  ])('security-groups: %s', (_, over) => expect(limitsOf(cluster(over))).toEqual(CHAIN_LIMITS));

  it('security-groups: not with ENABLE_POD_ENI false, nor without aws-node', () => {
    expect(limitsOf(cluster({ awsNode: awsNode({ env: { ENABLE_POD_ENI: 'false' } }) }))).toEqual(ALWAYS);
    expect(limitsOf(cluster({ awsNode: null }))).toEqual(ALWAYS);
  });

  it('each has a text, and a line for the gate', () => {
    for (const id of CHAIN_LIMITS) {
      const said = limitSaid(id);
      expect(said.text.length).toBeGreaterThan(20);
      expect(limitText(said)).toBe(`${id}: ${said.text}`);
    }
  });

  it('each has a row in docs/strategies.md', () => {
    const docs = readFileSync(new URL('../../../docs/strategies.md', import.meta.url), 'utf8');
    for (const id of CHAIN_LIMITS) expect(docs).toContain(`| \`${id}\` |`);
  });
});
