import { stringify } from 'yaml';
import type { ResolvedOptions } from '../options.js';

/** Only nodes with this label have a kubelet (kwok) that lives. */
export const kubeletLabel = 'lab.ciliate.io/kubelet';
/** The glue's leave to start a pod, with the address that its CNI gave it: kwok starts nothing without it. */
export const addressAnnotation = 'lab.ciliate.io/pod-ip';
/** Which CNI gave the address: aws, cilium or host. */
export const cniAnnotation = 'lab.ciliate.io/cni';
/** Which instance's kubelet started the pod. */
export const instanceAnnotation = 'lab.ciliate.io/instance';
/** How long kwok waits before the pod runs, as a Go duration. */
export const delayAnnotation = 'lab.ciliate.io/start-delay';
/** How long a pod takes to end where that is not `terminationDelay`, as a Go duration. */
export const endDelayAnnotation = 'lab.ciliate.io/end-delay';

const alive = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };

const running = `
{{ $now := Now }}
{{ $root := . }}
conditions:
- {type: PodReadyToStartContainers, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: {{ .image | Quote }}, containerID: {{ printf "containerd://%s-%s" $root.metadata.uid .name | Quote }}, ready: true, started: true, restartCount: 0, state: {running: {startedAt: {{ $now | Quote }}}}}
{{ end }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  ready: true
  restartCount: 0
  {{ if eq .restartPolicy "Always" }}
  started: true
  state: {running: {startedAt: {{ $now | Quote }}}}
  {{ else }}
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}
  {{ end }}
{{ end }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs:
- ip: {{ index . 0 | Quote }}
{{ end }}
podIP: {{ index .metadata.annotations "${addressAnnotation}" | Quote }}
podIPs:
- ip: {{ index .metadata.annotations "${addressAnnotation}" | Quote }}
phase: Running
startTime: {{ $now | Quote }}
`;

const completed = `
{{ $now := Now }}
{{ $root := . }}
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, ready: false, started: false, restartCount: 0, state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}}
{{ end }}
phase: Succeeded
`;

/** kwok's stages: what a kubelet would do with a pod, and how long that takes. */
export function kwokStages(options: ResolvedOptions): string {
  const stages = [
    stage('node-none', 'Node', {
      // kwok plays no pod unless it has a stage for nodes; the glue plays the nodes themselves.
      selector: { matchExpressions: [{ key: '.metadata.name', operator: 'In', values: ['no-such-node'] }] },
      next: { statusTemplate: 'phase: Running' },
    }),
    stage('pod-run', 'Pod', {
      selector: { matchExpressions: [alive, { key: '.status.phase', operator: 'In', values: ['Pending'] }, { key: `.metadata.annotations["${addressAnnotation}"]`, operator: 'Exists' }] },
      delay: { durationMilliseconds: options.podStartDelay, durationFrom: { expressionFrom: `.metadata.annotations["${delayAnnotation}"]` } },
      next: { statusTemplate: running },
    }),
    ...(options.jobsSucceed ? [completion(options)] : []),
    stage('pod-delete', 'Pod', {
      selector: { matchExpressions: [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }] },
      delay: { durationMilliseconds: options.terminationDelay, durationFrom: { expressionFrom: `.metadata.annotations["${endDelayAnnotation}"]` } },
      next: { delete: true },
    }),
  ];
  return stages.map((item) => stringify(item)).join('---\n');
}

function completion(options: ResolvedOptions): Record<string, unknown> {
  return stage('pod-complete', 'Pod', {
    selector: {
      matchExpressions: [alive, { key: '.status.phase', operator: 'In', values: ['Running'] }, { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] }],
    },
    delay: { durationMilliseconds: options.podStartDelay },
    next: { statusTemplate: completed },
  });
}

function stage(name: string, kind: string, spec: Record<string, unknown>): Record<string, unknown> {
  return { apiVersion: 'kwok.x-k8s.io/v1alpha1', kind: 'Stage', metadata: { name }, spec: { resourceRef: { apiGroup: 'v1', kind }, ...spec } };
}
