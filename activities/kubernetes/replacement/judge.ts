import type { V1Node } from '@kubernetes/client-node';
import { isOld } from '../../../domain/directions/index.js';
import type { Direction } from '../../../domain/directions/index.js';
import { CiliateError } from '../../../domain/failures.js';
import { isReady, readyCondition } from '../../../domain/kubernetes/resources.js';
import type { Blocker } from '../../../domain/refresh.js';
import type { Clients } from '../../clients/index.js';

/** What a new node still lacks to be a good one: the first thing, since the rest follows from it. */
export type Judge = (clients: Clients, node: V1Node) => Promise<Blocker[]>;

export function lack(object: string, reason: string, todo: string): Blocker {
  return { object, reason, todo };
}

export function notReady(node: V1Node): Blocker[] {
  if (isReady(node)) return [];
  const name = node.metadata?.name ?? '';
  const condition = readyCondition(node);
  return [lack(`Node ${name}`, `is not Ready: ${condition?.reason ?? 'no condition'}${condition?.message ? ` (${condition.message})` : ''}`, `kubectl describe node ${name}`)];
}

/**
 * A new node must not carry the label of old ones (cilium-on-eks.md 2.4).
 *
 * @throws CiliateError NeedsHuman `LabelCameBack`
 */
export function assertUnlabelled(direction: Direction, node: V1Node): void {
  if (!isOld(direction, node.metadata?.labels)) return;
  const { key, value } = direction.label;
  throw new CiliateError(
    'NeedsHuman',
    {
      object: `Node ${node.metadata?.name}`,
      expected: `a new node without the label ${key}`,
      seen: `${key}=${value}: something gives it to new nodes`,
      todo: 'Remove it there (labels of the managed node group, --node-labels in the launch template, Karpenter NodePool, Terraform), replace this node, then retry.',
    },
    { code: 'LabelCameBack' },
  );
}
