import { ClientPool } from '../../activities/clients/index.js';
import { reportNetworkPolicies } from '../../activities/policy/networkPolicies.js';
import { renderMeanings } from '../../domain/policy/networkPoliciesText.js';
import { readSpec } from '../spec/read.js';
import { directly, expectKubeconfig } from '../direct.js';

/** What the NetworkPolicies of a cluster mean under Cilium, from this machine and without Temporal; reads only. */
export async function policyReport(file: string, format: 'table' | 'json'): Promise<string> {
  const manifest = readSpec(file, { needsChart: false });
  expectKubeconfig(manifest);
  const meanings = await directly(async () => reportNetworkPolicies(await new ClientPool().for(manifest.spec.cluster)));
  return renderMeanings(manifest.metadata.name, meanings, format);
}
