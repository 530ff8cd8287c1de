import type { V1Service } from '@kubernetes/client-node';
import { CILIUM, CILIUM_OPERATOR, KUBE_SYSTEM } from '../../domain/names.js';
import { ETCD_PORT, NODE_PORT } from '../../domain/mesh/values.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Exposure } from '../../domain/spec/mesh.js';
import { daemonSetBlockers, deploymentBlockers } from '../cilium/rollout.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { listNodes, systemDaemonSet } from '../kubernetes/lists.js';
import { look } from '../look.js';
import type { Look } from '../api.js';
import type { Exposed, MeshRequest } from './api.js';
import { readSecret } from './ca.js';

export const APISERVER = 'clustermesh-apiserver';
/** Nodes that peers are told of where they come by a node's port: enough that one may go. */
const NODES = 3;

export async function lookMesh(clients: Clients, { expose, known }: MeshRequest & { known: string }): Promise<Look & { exposed: Exposed | null }> {
  const { exposed, blockers: service } = await exposure(clients, expose);
  const blockers = [...(await rolledOut(clients)), ...(await deployment(clients, APISERVER)), ...service];
  return look({ known, done: blockers.length === 0, blockers, seenOf: blockers.map(({ object }) => object), extra: { exposed } });
}

export async function lookLeft(clients: Clients, { known }: MeshRequest & { known: string }): Promise<Look> {
  const blockers = [...(await rolledOut(clients)), ...(await leftovers(clients))];
  return look({ known, done: blockers.length === 0, blockers, seenOf: blockers.map(({ object }) => object), extra: {} });
}

async function rolledOut(clients: Clients): Promise<Blocker[]> {
  const agent = await systemDaemonSet(clients, CILIUM);
  const agents = agent === undefined ? [{ object: `DaemonSet ${KUBE_SYSTEM}/${CILIUM}`, reason: 'is not there', todo: 'helm -n kube-system status cilium' }] : await daemonSetBlockers(clients, agent);
  return [...agents, ...(await deployment(clients, CILIUM_OPERATOR))];
}

async function deployment(clients: Clients, name: string): Promise<Blocker[]> {
  const found = await orUndefined(clients.kube.apps.readNamespacedDeployment({ namespace: KUBE_SYSTEM, name }));
  if (found === undefined) return [{ object: `Deployment ${KUBE_SYSTEM}/${name}`, reason: 'is not there', todo: 'helm -n kube-system status cilium' }];
  return deploymentBlockers(clients, found);
}

/** Where the others find this cluster, as its Service and its nodes say now. */
export async function exposure(clients: Clients, expose: Exposure): Promise<{ exposed: Exposed | null; blockers: Blocker[] }> {
  const object = `Service ${KUBE_SYSTEM}/${APISERVER}`;
  const service = await orUndefined(clients.kube.core.readNamespacedService({ namespace: KUBE_SYSTEM, name: APISERVER }));
  const exposed = service === undefined ? null : expose === 'nlb' ? balanced(service) : await onNodes(clients, service);
  if (exposed !== null) return { exposed, blockers: [] };
  const reason = service === undefined ? 'is not there' : expose === 'nlb' ? 'has no load balancer yet' : 'has no node port, or no node is ready';
  return { exposed, blockers: [{ object, reason, todo: `kubectl -n ${KUBE_SYSTEM} describe service ${APISERVER}` }] };
}

function balanced({ status }: V1Service): Exposed | null {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const hostname = ingress.find((one) => one.hostname !== undefined)?.hostname;
  if (hostname !== undefined) return { port: ETCD_PORT, hostname };
  const ips = ingress.flatMap(({ ip }) => ip ?? []);
  return ips.length === 0 ? null : { port: ETCD_PORT, ips };
}

async function onNodes(clients: Clients, { spec }: V1Service): Promise<Exposed | null> {
  const port = spec?.ports?.find(({ nodePort }) => nodePort !== undefined)?.nodePort ?? NODE_PORT;
  const ready = (await listNodes(clients)).filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true);
  const ips = ready.flatMap(({ status }) => status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? []).sort();
  return ips.length === 0 ? null : { port, ips: ips.slice(0, NODES) };
}

async function leftovers(clients: Clients): Promise<Blocker[]> {
  const [apiserver, ...secrets] = await Promise.all([
    orUndefined(clients.kube.apps.readNamespacedDeployment({ namespace: KUBE_SYSTEM, name: APISERVER })),
    ...PEER_SECRETS.map((name) => readSecret(clients, name)),
  ]);
  const there = [...(apiserver === undefined ? [] : [`Deployment ${KUBE_SYSTEM}/${APISERVER}`]), ...secrets.flatMap((secret) => (secret === undefined ? [] : [`Secret ${KUBE_SYSTEM}/${secret.metadata?.name}`]))];
  return there.map((object) => ({ object, reason: 'is still there', todo: 'Do the Helm values of the migration ask for it (spec.cilium.values.clustermesh)? Then it is meant to stay: take them out.' }));
}

/** Secrets by which agents and clustermesh-apiserver find the peers. */
export const PEER_SECRETS = ['cilium-clustermesh', 'cilium-kvstoremesh'] as const;
