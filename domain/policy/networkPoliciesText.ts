import { counted } from '../hazards/finding.js';
import { CILIATE_VERSION } from '../version.js';
import type { NetworkPolicyMeaning } from './networkPolicies.js';

const TITLES: Record<NetworkPolicyMeaning['change'], string> = {
  'takes-effect': 'had no effect, will have one under Cilium',
  unknown: 'have an effect under Cilium; before is not known',
  stays: 'had an effect and keep it',
  'selects-nothing': 'select no pod now',
};

/** The report as a person reads it, or as stable JSON: `version` (1), `ciliate`, `migration`, `policies`; keys are only ever added. */
export function renderMeanings(migration: string, meanings: NetworkPolicyMeaning[], format: 'table' | 'json'): string {
  if (format === 'json') return `${JSON.stringify({ version: 1, ciliate: CILIATE_VERSION, migration, policies: meanings }, null, 2)}\n`;
  if (meanings.length === 0) return `${migration}: no NetworkPolicy is there\n`;
  const groups = (Object.keys(TITLES) as NetworkPolicyMeaning['change'][]).flatMap((change) => {
    const members = meanings.filter((one) => one.change === change);
    return members.length === 0 ? [] : ['', `${counted(members.length, 'NetworkPolicy').replace('Policys', 'Policies')} ${TITLES[change]}:`, ...members.flatMap(lines)];
  });
  return `${[`${migration}: what existing NetworkPolicies mean under Cilium`, ...groups].join('\n')}\n`;
}

/** One of them in a line, for a finding. */
export function meaningLine({ namespace, name, pods, change, before, after, notes }: NetworkPolicyMeaning): string {
  const what = { 'takes-effect': 'NO EFFECT NOW, HAS ONE LATER', unknown: 'before is not known', stays: 'keeps its effect', 'selects-nothing': 'selects no pod now' }[change];
  return `${namespace}/${name} (${counted(pods, 'pod')}): ${what}; ${[before, after, ...notes].join('; ')}`;
}

function lines({ namespace, name, pods, before, after, notes }: NetworkPolicyMeaning): string[] {
  return [`  ${namespace}/${name} (${counted(pods, 'pod')})`, `    before: ${before}`, `    after:  ${after}`, ...notes.map((note) => `    note:   ${note}`)];
}
