import type { V1Job, V1Node, V1Pod, V1Toleration } from '@kubernetes/client-node';
import { sha256Hex } from '../../../domain/digest.js';
import { AGENT_NOT_READY_TAINT, MANAGED_BY, MANAGED_BY_LABEL, PROBE_LABEL } from '../../../domain/names.js';
import type { NetworkProbeSpec } from '../../../domain/spec/probes.js';
import { ASK, PORT, SERVE } from './script.js';

/** The Jobs of one attempt: a server on each of the two nodes, and a pod beside it that makes the checks. */
export const PARTS = ['serve-new', 'serve-old', 'ask-new', 'ask-old'] as const;
export type Part = (typeof PARTS)[number];

/** Name of the old node of this attempt; empty where none was left. */
export const OLD_NODE = 'ciliate.io/probe-old-node';
/** What the attempt before this one lacked: its result lines, so that they are not forgotten while it is tried again. */
export const BEFORE = 'ciliate.io/probe-before';
/** On each Job and pod: which part it is. */
export const PART_LABEL = 'ciliate.io/probe-part';

/** Image pulls and scheduling; the checks' own time comes on top. */
const START_SECONDS = 120;
/** A server outlives whoever asks it. */
const SERVE_SECONDS = 600;
/** Left-overs of a run that died for good go by themselves. */
const TTL_SECONDS = 600;

export interface JobInput {
  spec: NetworkProbeSpec;
  /** UID of the node that was refreshed: names are made of it, so a crash never leaves a second set. */
  uid: string;
  part: Part;
  on: V1Node;
  oldNode: string | null;
  before: string;
  /** Address of the pod that is asked; none where there is no other side. */
  peer?: string;
}

export function probeSelector(uid: string): string {
  return `${MANAGED_BY_LABEL}=${MANAGED_BY},${PROBE_LABEL}=${uid}`;
}

/** One Job: pinned as a DaemonSet pins its pods, so that the scheduler says what is in the way; restricted by the Pod Security Standard. */
export function probeJob(input: JobInput): V1Job {
  const { spec, uid, part, oldNode, before } = input;
  const labels = { [MANAGED_BY_LABEL]: MANAGED_BY, [PROBE_LABEL]: uid, [PART_LABEL]: part };
  const checks = (spec.egress.length + 3) * (spec.timeoutSeconds + 1);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: jobName(uid, part), namespace: spec.namespace, labels, annotations: { [OLD_NODE]: oldNode ?? '', [BEFORE]: before } },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: isServer(part) ? SERVE_SECONDS : START_SECONDS + checks,
      ttlSecondsAfterFinished: TTL_SECONDS,
      template: { metadata: { labels }, spec: podSpec(input) },
    },
  };
}

export function jobName(uid: string, part: Part): string {
  return `ciliate-probe-${sha256Hex(uid).slice(0, 12)}-${part}`;
}

export function isServer(part: Part): boolean {
  return part.startsWith('serve');
}

function podSpec({ spec, part, on, peer }: JobInput): V1Pod['spec'] {
  const name = on.metadata?.name ?? '';
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    imagePullSecrets: spec.imagePullSecrets.map((secret) => ({ name: secret })),
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }] } } },
    tolerations: tolerationsOf(on),
    securityContext: { runAsNonRoot: true, runAsUser: 65_534, runAsGroup: 65_534, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'probe',
        image: spec.image,
        command: ['sh', '-c', isServer(part) ? SERVE : ASK],
        env: isServer(part) ? [] : [{ name: 'PEER', value: peer ?? '' }, { name: 'TIMEOUT', value: String(spec.timeoutSeconds) }, { name: 'EGRESS', value: spec.egress.join(' ') }],
        ...(isServer(part) ? { ports: [{ containerPort: PORT }], readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 } } : {}),
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
      },
    ],
  };
}

/** A node kept for some workloads is probed too; one that is cordoned, not ready or without its agent is not. */
function tolerationsOf(node: V1Node): V1Toleration[] {
  return (node.spec?.taints ?? [])
    .filter(({ key, effect }) => effect !== 'PreferNoSchedule' && key !== AGENT_NOT_READY_TAINT && !key.startsWith('node.kubernetes.io/'))
    .map(({ key, value, effect }) => ({ key, effect, ...(value === undefined ? { operator: 'Exists' } : { operator: 'Equal', value }) }));
}
