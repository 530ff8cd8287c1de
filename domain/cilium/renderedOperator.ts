import { CNI_LABEL } from '../names.js';
import { affinityKeys } from '../kubernetes/nodeAffinity.js';
import { datapathOf } from './datapaths/index.js';
import { objectName } from './objects.js';
import type { Workload } from './objects.js';
import type { RenderFinding } from './renderFinding.js';
import { OPERATOR_TOLERATIONS, toleratesEverything, toleratesKey } from './tolerations.js';
import type { ValuesInput } from './values.js';
import { at } from './valueTree.js';

/**
 * cilium-operator (cilium-on-eks.md 2.6): the AWS build, on the host network, free to run on aws-node's nodes (at first every node
 * is one), tolerant of new nodes and of tainted node groups, but not of a cordon.
 */
export function assertOperator(operator: Workload, input: ValuesInput): RenderFinding[] {
  const { pod } = operator;
  const name = objectName(operator.object);
  const findings: RenderFinding[] = [];
  const expect = (holds: boolean, finding: { what: string; expected: string; seen: unknown }): void => {
    if (!holds) findings.push({ object: `${name}, ${finding.what}`, expected: finding.expected, seen: JSON.stringify(finding.seen) ?? 'nothing' });
  };

  const images = (pod.containers ?? []).map(({ image }) => image ?? '');
  const { operatorImage } = datapathOf(input);
  expect(images.some((image) => isBuild(image, operatorImage)), { what: 'image', expected: operatorImage, seen: images });
  const replicas = wantedReplicas(input);
  expect(operator.replicas === replicas, { what: 'replicas', expected: String(replicas), seen: operator.replicas });
  expect(pod.hostNetwork === true, { what: 'hostNetwork', expected: 'true', seen: pod.hostNetwork });
  expect(pod.nodeName === undefined, { what: 'nodeName', expected: 'nothing', seen: pod.nodeName });

  const selector = Object.entries(pod.nodeSelector ?? {}).filter(([key, value]) => key !== 'kubernetes.io/os' || value !== 'linux');
  expect(selector.length === 0, { what: 'nodeSelector', expected: 'kubernetes.io/os: linux', seen: pod.nodeSelector });
  expect(!affinityKeys(pod.affinity).includes(CNI_LABEL), { what: 'affinity', expected: `nothing about ${CNI_LABEL}`, seen: pod.affinity });

  const keys = [...OPERATOR_TOLERATIONS.map(({ key }) => key ?? ''), ...input.facts.operatorTaintKeys];
  const missing = keys.filter((key) => !toleratesKey(pod.tolerations, key));
  expect(missing.length === 0, { what: 'tolerations', expected: `also ${missing.join(', ')}`, seen: pod.tolerations });
  const comesBack = input.phase !== 'final' && toleratesEverything(pod.tolerations);
  expect(!comesBack, { what: 'tolerations', expected: 'not everything: a cordon would be tolerated', seen: pod.tolerations });
  return findings;
}

/** `quay.io/cilium/operator-aws:v1.20.0@sha256:…`, also behind a mirror of another name. */
function isBuild(image: string, build: string): boolean {
  return new RegExp(`(^|/)[^/]*${build}[^/:@]*(:|@|$)`).test(image);
}

function wantedReplicas({ cilium, facts }: ValuesInput): number {
  const user = at(cilium.values, 'operator.replicas');
  return facts.operatorReplicas === 1 || typeof user !== 'number' ? facts.operatorReplicas : user;
}
