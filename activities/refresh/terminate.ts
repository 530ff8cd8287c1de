import { CiliateError } from '../../domain/failures.js';
import type { Activities, NodeRequest } from '../api.js';
import type { Clients } from '../clients/index.js';
import { look } from '../look.js';
import { clientsOf, nodeNamed, sameNode, writingClients } from './deps.js';
import type { RefreshDeps } from './deps.js';
import { instanceLife } from './instance.js';

/** How long the Node of a dead instance is left to its cloud controller before it is deleted here. */
export const NODE_GRACE_MS = 60_000;

/** Terminates in the group, once: what EC2 says first decides, so a repeated call never takes a second node. */
export function terminateNode(deps: RefreshDeps): Activities['terminateNode'] {
  return async ({ target, node, decrement }) => {
    const clients = await writingClients(deps, target);
    const group = node.group || (await deps.driver.groupsOf(clients, [node.instanceId])).get(node.instanceId);
    if ((await instanceLife(clients, node.instanceId)) !== 'running') return { instancesBefore: [] };
    if (!group) throw noGroup({ target, node });
    const before = (await deps.driver.group(clients, group)).instances;
    // Already on its way out of the group: its answer to an earlier call was lost.
    const leaving = before.some((instance) => instance.id === node.instanceId && instance.lifecycle.startsWith('Terminat'));
    if (!leaving) await deps.driver.terminate(clients, node.instanceId, decrement);
    return { instancesBefore: leaving ? [] : before.map((instance) => instance.id) };
  };
}

export function lookTerminated(deps: RefreshDeps): Activities['lookTerminated'] {
  return async ({ target, node, known }) => {
    const life = await instanceLife(await clientsOf(deps, target), node.instanceId);
    const done = life === 'gone';
    const blockers = done ? [] : [{ object: `Instance ${node.instanceId}`, reason: life === 'going' ? 'shutting down' : 'not terminated yet', todo: 'EC2 takes its time; a lifecycle hook may hold it' }];
    return look({ known, done, blockers, seenOf: life, extra: { terminatedAt: done ? new Date().toISOString() : null } });
  };
}

/**
 * The Node of a terminated instance is deleted by the cloud controller. Where it is still there 60 s later it is deleted
 * here, by UID; never earlier, and never a Node that has the name but is another machine.
 */
export function lookNodeGone(deps: RefreshDeps): Activities['lookNodeGone'] {
  return async (request) => {
    const { target, node, terminatedAt, known } = request;
    const clients = await clientsOf(deps, target);
    const due = Date.parse(terminatedAt) + NODE_GRACE_MS;
    const there = (await sameNode(clients, request)) !== undefined;
    const deleted = there && Date.now() >= due;
    if (deleted) await deleteNode(await writingClients(deps, target), request);
    const blockers = [{ object: `Node ${node.name}`, reason: 'its instance is terminated, the Node is still there', todo: `The cloud controller deletes it; from ${new Date(due).toISOString()} it is deleted here` }];
    return look({ known, done: !there, blockers: there ? blockers : [], seenOf: [there, deleted], extra: {} });
  };
}

async function deleteNode(clients: Clients, { node }: NodeRequest): Promise<void> {
  const named = await nodeNamed(clients, node.name);
  if (named?.metadata?.uid !== node.uid) return;
  await clients.kube.core.deleteNode({ name: node.name, body: { preconditions: { uid: node.uid } } });
}

function noGroup({ node }: NodeRequest): CiliateError {
  return new CiliateError(
    'NeedsHuman',
    {
      object: `Instance ${node.instanceId} of Node ${node.name}`,
      expected: 'an Auto Scaling group that replaces it',
      seen: 'none holds it',
      todo: 'Attach it to its group and retry the node, or skip it.',
    },
    { code: 'NoGroup' },
  );
}
