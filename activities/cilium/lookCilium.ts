import { expectedConfig } from '../../domain/cilium/expectedConfig.js';
import { matchesNode } from '../../domain/kubernetes/nodeAffinity.js';
import type { Affinity } from '../../domain/kubernetes/nodeAffinity.js';
import { CILIUM, CILIUM_ENVOY, CILIUM_OPERATOR, KUBE_SYSTEM } from '../../domain/names.js';
import type { Blocker } from '../../domain/refresh.js';
import type { CiliumRequest, Look } from '../api.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { listNodes, systemDaemonSet } from '../kubernetes/lists.js';
import { daemonSetBlockers, deploymentBlockers } from './rollout.js';
import { valuesInput } from './request.js';

/** Made by the operator at its first start; without them no agent comes up. */
const CRDS = ['ciliumnodes.cilium.io', 'ciliumendpoints.cilium.io'];
const CONFIG = 'cilium-config';

/** Done when what helm applied is what runs: configuration, operator, CRDs, and an agent on every node that should have one. */
export async function lookCilium(clients: Clients, request: CiliumRequest & { known: string }): Promise<Look & { agents: number }> {
  const agent = await agentState(clients);
  const blockers = [
    ...(await configBlockers(clients, request)),
    ...(await operatorBlockers(clients)),
    ...(await crdBlockers(clients)),
    ...agent.blockers,
    ...(await envoyBlockers(clients)),
  ];
  return look({ known: request.known, done: blockers.length === 0, blockers, seenOf: blockers.map(({ object }) => object), extra: { agents: agent.count } });
}

/** The values that this phase needs are in the ConfigMap; that the pods run on them, their revision proves (rollOutPods). */
async function configBlockers(clients: Clients, request: CiliumRequest): Promise<Blocker[]> {
  const object = `ConfigMap ${KUBE_SYSTEM}/${CONFIG}`;
  const config = await orUndefined(clients.kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: CONFIG }));
  if (config === undefined) return [{ object, reason: 'is not there', todo: 'helm -n kube-system status cilium' }];
  return expectedConfig(valuesInput(request, request.phase)).flatMap(({ key, expected, holds }) => {
    const value = config.data?.[key];
    return holds(value) ? [] : [{ object, reason: `${key} is ${value ?? 'absent'}, expected ${expected}`, todo: 'Something else writes it (GitOps?): stop that.' }];
  });
}

async function operatorBlockers(clients: Clients): Promise<Blocker[]> {
  const operator = await orUndefined(clients.kube.apps.readNamespacedDeployment({ namespace: KUBE_SYSTEM, name: CILIUM_OPERATOR }));
  if (operator === undefined) return [{ object: `Deployment ${KUBE_SYSTEM}/${CILIUM_OPERATOR}`, reason: 'is not there', todo: 'helm -n kube-system status cilium' }];
  return deploymentBlockers(clients, operator);
}

async function crdBlockers(clients: Clients): Promise<Blocker[]> {
  const blockers: Blocker[] = [];
  for (const name of CRDS) {
    const crd = await orUndefined(clients.kube.apiextensions.readCustomResourceDefinition({ name }));
    const established = crd?.status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True') === true;
    if (!established) blockers.push({ object: `CustomResourceDefinition ${name}`, reason: crd === undefined ? 'is not there yet' : 'is not established yet', todo: 'cilium-operator makes it: kubectl -n kube-system logs deploy/cilium-operator' });
  }
  return blockers;
}

/** Agents wanted are counted from the nodes, not from the DaemonSet: zero of zero proves nothing. */
async function agentState(clients: Clients): Promise<{ count: number; blockers: Blocker[] }> {
  const object = `DaemonSet ${KUBE_SYSTEM}/${CILIUM}`;
  const [daemonSet, nodes] = await Promise.all([systemDaemonSet(clients, CILIUM), listNodes(clients)]);
  if (daemonSet === undefined) return { count: 0, blockers: [{ object, reason: 'is not there', todo: 'helm -n kube-system status cilium' }] };
  const spec = daemonSet.spec?.template.spec;
  const wanted = nodes.filter((node) => matchesNode(spec?.affinity as Affinity | undefined, spec?.nodeSelector, { name: node.metadata?.name ?? '', labels: node.metadata?.labels ?? {} }));
  const blockers = await daemonSetBlockers(clients, daemonSet);
  const desired = daemonSet.status?.desiredNumberScheduled ?? 0;
  if (desired !== wanted.length) blockers.push({ object, reason: `desires ${desired} agents, but ${wanted.length} nodes match its affinity`, todo: `kubectl -n ${KUBE_SYSTEM} describe ds/${CILIUM}` });
  return { count: desired, blockers };
}

async function envoyBlockers(clients: Clients): Promise<Blocker[]> {
  const envoy = await systemDaemonSet(clients, CILIUM_ENVOY);
  return envoy === undefined ? [] : daemonSetBlockers(clients, envoy);
}
