import { AWS_NODE, CNI_LABEL, CNI_LABEL_AWS, NO_CNI_TAINT } from '../../domain/names.js';
import type { Clients } from '../clients/index.js';
import { listNodes, systemDaemonSet } from './lists.js';
import { addTaint, hasTaint, removeTaint } from './taints.js';

/**
 * Shuts the nodes of aws-node before that is taken away (strategy clean): a new pod there would wait for a network that never comes.
 * The key is ours alone, so no ledger is needed to know what to take back.
 */
export async function shutOldNodes(clients: Clients): Promise<{ shut: number }> {
  const old = await listNodes(clients, `${CNI_LABEL}=${CNI_LABEL_AWS}`);
  return { shut: (await addTaint(clients, old.filter((node) => !hasTaint(node, NO_CNI_TAINT)), { key: NO_CNI_TAINT, effect: 'NoSchedule' })).length };
}

/** Opens them again where aws-node is there to serve them; without it the taint says what is true. */
export async function openOldNodes(clients: Clients): Promise<string[]> {
  const shut = (await listNodes(clients)).filter((node) => hasTaint(node, NO_CNI_TAINT));
  if (shut.length === 0 || (await systemDaemonSet(clients, AWS_NODE)) === undefined) return [];
  return removeTaint(clients, shut, NO_CNI_TAINT);
}
