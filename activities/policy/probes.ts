import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { podReady } from '../../domain/kubernetes/resources.js';
import { CILIUM, FIELD_MANAGER, MANAGED_BY, MANAGED_BY_LABEL } from '../../domain/names.js';
import { DNS, POLICY_LABEL, selectorText } from '../../domain/policy/labels.js';
import { probedPort, probeScript, PROBES, readProbe } from '../../domain/policy/probe.js';
import type { Address, Place, Probe, ProbeResults } from '../../domain/policy/probe.js';
import type { Blocker } from '../../domain/refresh.js';
import { isConflict, isNotFound } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { systemDaemonSet } from '../kubernetes/lists.js';
import { look } from '../look.js';
import type { Look } from '../api.js';
import type { ProbeRequest, ProbesStarted } from './api.js';
import { agentImage } from './facts.js';

/** CoreDNS answers readiness probes there: a place in every cluster that listens and that only port 53 is allowed to. */
const DNS_READY_PORT = 8181;
/** Nothing sets this condition, so a probe pod is never Ready and no Service sends anything to it, whatever its labels. */
const NEVER_READY = 'ciliate.io/never-ready';
const DEADLINE_SECONDS = 120;

/** Starts both Jobs; those that are there already (a retry) are left to run. */
export async function startPolicyProbes({ from, to }: { from: Clients; to: Clients }, { policy, nonce }: ProbeRequest): Promise<ProbesStarted> {
  const { spec } = policy;
  const port = probedPort(spec.to.ports);
  if (port === undefined) return { impossible: 'no TCP port is allowed, and only a TCP connection can be told from silence', elsewhere: null };
  const server = await readyPod(to, spec.to.namespace, selectorText(spec.to.labels));
  if (server === undefined) return { impossible: `no ready pod of ${spec.to.namespace} (${selectorText(spec.to.labels)}) is there in ${spec.to.cluster}`, elsewhere: null };
  const dns = await readyPod(from, DNS.namespace, selectorText(DNS.labels));
  const image = agentImage((await systemDaemonSet(from, CILIUM))?.spec?.template.spec?.containers ?? []);
  if (image === undefined) return { impossible: `Cilium is not there in ${spec.from.cluster}`, elsewhere: null };
  const elsewhere: Address | undefined = dns === undefined ? undefined : { ip: dns, port: DNS_READY_PORT };
  const places: Partial<Record<Place, Address>> = { server: { ip: server, port: port.port }, ...(elsewhere === undefined ? {} : { elsewhere }) };
  for (const probe of PROBES) {
    const labels = probe === 'selected' ? spec.from.labels : {};
    await createJob(from, job({ name: jobName(nonce, probe), namespace: spec.from.namespace, image, labels, policy: policy.metadata.name, script: probeScript(nonce, places) }));
  }
  return { impossible: null, elsewhere: elsewhere === undefined ? null : `CoreDNS ${elsewhere.ip}:${elsewhere.port}` };
}

export async function lookPolicyProbes(clients: Clients, { policy, nonce, deadline, known }: ProbeRequest & { deadline: string; known: string }): Promise<Look & { results: ProbeResults }> {
  const { namespace } = policy.spec.from;
  const found = await Promise.all(PROBES.map(async (probe) => [probe, await probePod(clients, namespace, jobName(nonce, probe))] as const));
  const results: ProbeResults = Object.fromEntries(found.map(([probe, pod]) => [probe, readProbe(nonce, messageOf(pod))]));
  const waiting = found.filter(([, pod]) => !['Succeeded', 'Failed'].includes(pod?.status?.phase ?? ''));
  const blockers: Blocker[] = waiting.map(([probe, pod]) => ({
    object: `Job ${namespace}/${jobName(nonce, probe)}`,
    reason: pod === undefined ? 'has no pod yet' : `its pod is ${pod.status?.phase}`,
    todo: `kubectl -n ${namespace} describe job ${jobName(nonce, probe)}`,
  }));
  const done = blockers.length === 0 || Date.now() >= Date.parse(deadline);
  return look({ known, done, blockers, seenOf: blockers, extra: { results } });
}

/** The Jobs with their pods; what is gone is fine. */
export async function endPolicyProbes(clients: Clients, { policy, nonce }: ProbeRequest): Promise<void> {
  const { namespace } = policy.spec.from;
  for (const probe of PROBES) {
    try {
      await clients.kube.batch.deleteNamespacedJob({ namespace, name: jobName(nonce, probe), propagationPolicy: 'Background' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function jobName(nonce: string, probe: Probe): string {
  return `ciliate-probe-${nonce}-${probe}`;
}

async function createJob(clients: Clients, body: V1Job): Promise<void> {
  try {
    await clients.kube.batch.createNamespacedJob({ namespace: body.metadata?.namespace ?? '', body, fieldManager: FIELD_MANAGER });
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

interface JobShape {
  name: string;
  namespace: string;
  image: string;
  labels: Record<string, string>;
  policy: string;
  script: string;
}

/** A Job, because its pods have an owner: a ReplicaSet whose selector their labels fit would adopt others. */
function job({ name, namespace, image, labels, policy, script }: JobShape): V1Job {
  const ours = { [MANAGED_BY_LABEL]: MANAGED_BY, [POLICY_LABEL]: policy };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, labels: ours },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: DEADLINE_SECONDS,
      ttlSecondsAfterFinished: 300,
      template: {
        metadata: { labels: { ...labels, [POLICY_LABEL]: policy } },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          readinessGates: [{ conditionType: NEVER_READY }],
          securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'probe',
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['bash', '-c', script],
              resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
              securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    },
  };
}

async function readyPod(clients: Clients, namespace: string, labelSelector: string): Promise<string | undefined> {
  const { items } = await clients.kube.core.listNamespacedPod({ namespace, labelSelector });
  return items.find((pod) => podReady(pod) && pod.metadata?.deletionTimestamp === undefined && pod.status?.podIP !== undefined)?.status?.podIP;
}

async function probePod(clients: Clients, namespace: string, name: string): Promise<V1Pod | undefined> {
  const { items } = await clients.kube.core.listNamespacedPod({ namespace, labelSelector: `job-name=${name}` });
  return items[0];
}

function messageOf(pod: V1Pod | undefined): string | undefined {
  return pod?.status?.containerStatuses?.[0]?.state?.terminated?.message;
}
