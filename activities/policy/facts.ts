import { ciliumMinor } from '../../domain/cilium/image.js';
import { CILIUM, KUBE_SYSTEM } from '../../domain/names.js';
import type { PolicyFacts } from '../../domain/policy/checks.js';
import { orUndefined } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import { systemDaemonSet } from '../kubernetes/lists.js';

const NODE_LOCAL_DNS = 'node-local-dns';

export async function policyFacts(clients: Clients, namespace: string): Promise<PolicyFacts> {
  const { core } = clients.kube;
  const [config, daemonSet, dns, mesh, found] = await Promise.all([
    orUndefined(core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: 'cilium-config' })),
    systemDaemonSet(clients, CILIUM),
    systemDaemonSet(clients, NODE_LOCAL_DNS),
    orUndefined(core.readNamespacedSecret({ namespace: KUBE_SYSTEM, name: 'cilium-clustermesh' })),
    orUndefined(core.readNamespace({ name: namespace })),
  ]);
  return {
    config: config === undefined ? undefined : (config.data ?? {}),
    minor: ciliumMinor(agentImage(daemonSet?.spec?.template.spec?.containers ?? [])),
    agents: { desired: daemonSet?.status?.desiredNumberScheduled ?? 0, ready: daemonSet?.status?.numberReady ?? 0 },
    nodeLocalDns: dns !== undefined,
    // Certificates of a peer stand beside it, under names with dots.
    peers: Object.keys(mesh?.data ?? {}).filter((key) => !key.includes('.')),
    namespace: found !== undefined,
  };
}

/** Image of the agents: it is on every node already. */
export function agentImage(containers: readonly { name: string; image?: string }[]): string | undefined {
  return (containers.find(({ name }) => name === 'cilium-agent') ?? containers[0])?.image;
}
