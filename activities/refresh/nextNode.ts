import type { V1Node } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { nextOf } from '../../domain/kubernetes/nodeOrder.js';
import { instanceIdOf, zoneOf } from '../../domain/kubernetes/resources.js';
import { CILIUM, CNI_LABEL, CNI_LABEL_AWS } from '../../domain/names.js';
import type { Activities } from '../api.js';
import { listNodes, systemDaemonSet, systemPods } from '../kubernetes/lists.js';
import { clientsOf } from './deps.js';
import type { RefreshDeps } from './deps.js';

/**
 * The next labelled node, with counts. Lists only labelled nodes, so that a run gets cheaper as it goes; the rest is counted
 * from the DaemonSet's own status.
 */
export function nextNode(deps: RefreshDeps): Activities['nextNode'] {
  return async ({ target, exclude }) => {
    const clients = await clientsOf(deps, target);
    const [labelled, cilium, operators] = await Promise.all([
      listNodes(clients, `${CNI_LABEL}=${CNI_LABEL_AWS}`),
      systemDaemonSet(clients, CILIUM),
      systemPods(clients, 'io.cilium/app=operator'),
    ]);
    const open = labelled.filter((node) => !exclude.includes(node.metadata?.name ?? '') && !exclude.includes(instanceIdOf(node) ?? ''));
    const withInstance = open.flatMap((node) => (instanceIdOf(node) ? [node] : []));
    const groups = await deps.driver.groupsOf(clients, withInstance.map((node) => instanceIdOf(node) ?? ''));
    const hosts = new Set(operators.map((pod) => pod.spec?.nodeName));
    const candidates = withInstance.map((node) => candidate(node, { groups, hosts }));
    const next = nextOf(candidates);
    if (!next && open.length > 0) throw noInstance(open);

    const ready = cilium?.status?.numberReady ?? 0;
    const pending = Math.max(0, (cilium?.status?.desiredNumberScheduled ?? 0) - ready);
    return { next, counts: { aws: labelled.length, cilium: ready, pending }, remaining: open.length };
  };
}

function candidate(node: V1Node, { groups, hosts }: { groups: Map<string, string>; hosts: Set<string | undefined> }) {
  const instanceId = instanceIdOf(node) ?? '';
  const name = node.metadata?.name ?? '';
  return {
    // A group that AWS does not name (the instance is on its way out of it) is found again when the node is looked at.
    ref: { name, uid: node.metadata?.uid ?? '', instanceId, group: groups.get(instanceId) ?? '', zone: zoneOf(node) },
    hostsOperator: hosts.has(name),
    created: node.metadata?.creationTimestamp?.getTime() ?? 0,
  };
}

function noInstance(nodes: V1Node[]): CiliateError {
  const names = nodes.map((node) => node.metadata?.name).join(', ');
  return new CiliateError(
    'NeedsHuman',
    { object: `Nodes ${names}`, expected: 'an EC2 instance behind each (spec.providerID)', seen: 'none', todo: 'Skip them, or remove their label if they are not to be migrated.' },
    { code: 'NoInstance' },
  );
}
