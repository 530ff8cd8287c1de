import type { V1Node } from '@kubernetes/client-node';
import { toAwsNode } from '../../../domain/directions/toAwsNode.js';
import { CiliateError } from '../../../domain/failures.js';
import { podReady } from '../../../domain/kubernetes/resources.js';
import { AGENT_NOT_READY_TAINT } from '../../../domain/names.js';
import { agentsOn } from '../lists.js';
import { assertUnlabelled, lack, notReady } from './judge.js';
import type { Judge } from './judge.js';

/** Ready on aws-node, with nothing of Cilium. Its addresses are aws-node's own matter: no object of Kubernetes tells them. */
export const judgeOnAwsNode: Judge = async (clients, node) => {
  const name = node.metadata?.name ?? '';
  const object = `Node ${name}`;
  assertUnlabelled(toAwsNode, node);
  const { aws: agent, cilium } = await agentsOn(clients, name);
  if (cilium !== undefined) return [lack(object, `runs Cilium (pod ${cilium.metadata?.name})`, "Cilium must not run on a new node: look at its DaemonSet's affinity.")];
  if (agent === undefined) return [lack(object, 'has no pod of aws-node yet', `kubectl describe node ${name}`)];
  if (!podReady(agent)) return [lack(object, `its pod ${agent.metadata?.name} is not ready (${agent.status?.phase})`, `kubectl -n kube-system describe pod ${agent.metadata?.name}`)];
  assertUntainted(node);
  return notReady(node);
};

/** Nobody takes it off a node without Cilium: the node would stay empty for ever. */
function assertUntainted(node: V1Node): void {
  if (!(node.spec?.taints ?? []).some(({ key }) => key === AGENT_NOT_READY_TAINT)) return;
  throw new CiliateError(
    'NeedsHuman',
    {
      object: `Node ${node.metadata?.name}`,
      expected: `a new node on aws-node without the taint ${AGENT_NOT_READY_TAINT}`,
      seen: 'the taint: something gives it to new nodes',
      todo: `Remove it there (taints of the managed node group, --register-with-taints in the launch template, startupTaints of the NodePool) and here (kubectl taint node ${node.metadata?.name} ${AGENT_NOT_READY_TAINT}-), then retry.`,
    },
    { code: 'StartupTaint' },
  );
}
