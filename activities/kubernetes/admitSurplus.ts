import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { directionOf } from '../../domain/directions/index.js';
import { instanceIdOf } from '../../domain/kubernetes/resources.js';
import { admit } from '../../domain/pool/admit.js';
import { startRamp } from '../../domain/pool/ramp.js';
import { survey } from '../../domain/pool/survey.js';
import type { SeenNode } from '../../domain/pool/survey.js';
import type { Blocker } from '../../domain/refresh.js';
import type { Admitted, SurplusRequest } from '../api.js';
import { callOffLaunches } from '../aws/callOffLaunches.js';
import { aliveIn } from '../aws/groups.js';
import { raised } from '../aws/guards/sizes.js';
import { resumeLaunches, stoppedLaunches } from '../aws/stopLaunches.js';
import type { Clients } from '../clients/index.js';
import { linger } from '../linger.js';
import { look } from '../look.js';
import { admitsMore } from './admitNodes.js';
import { readPool } from './readPool.js';
import type { PoolSeen } from './readPool.js';
import { moveSoftTaint } from './softTaint.js';

/**
 * As admitNodes, for a run that ends in the middle of a surge: no old node is started any more, the extra ones go, until every
 * group has its size of before. Launches that fail are called off.
 */
export function admitSurplus(clients: Clients, request: SurplusRequest): Promise<Admitted> {
  return linger(clients, admitsMore(), () => pass(clients, request));
}

async function pass(clients: Clients, { target, refresh, exclude, flights, known }: SurplusRequest): Promise<Admitted> {
  const seen = await readPool(clients, directionOf(target), flights);
  const nodes = [...seen.survey.nodes, ...withoutNode(seen)];
  // No surge: so many at a time as may be missing, and one where none may.
  const { view, most, unlaunched } = survey({ ...seen.survey, nodes, flights, exclude, later: [], ramp: startRamp(false), refresh: { ...refresh, maxSurge: 0 }, ending: true });
  if (stoppedLaunches(seen.ledger).length > 0) await resumeLaunches(clients);
  if (unlaunched > 0) await callOffLaunches(clients, seen);
  const remaining = view.candidates.length + unlaunched;
  if (remaining > 0) await moveSoftTaint(clients, seen.snapshot.nodes, new Set([...view.candidates, ...view.inFlight].map(({ ref }) => ref.name)));
  const { start, waits } = admit(view);
  const blockers: Blocker[] = [
    ...waits.map(({ node, why }) => ({ object: `Node ${node.name}`, reason: `an extra node, waits for its turn: ${why}`, todo: 'It is drained and taken back as soon as that is over.' })),
    ...(unlaunched > 0 ? [{ object: 'Auto Scaling', reason: 'still launches extra nodes, which go as soon as they are there', todo: 'It is awaited.' }] : []),
  ];
  return look({
    known,
    done: start.length > 0 || remaining === 0,
    blockers,
    seenOf: blockers.map(({ object, reason }) => [object, reason]),
    extra: { resize: false, start: start.map((each) => ({ ...each, surplus: true })), counts: seen.counts, remaining, most, groups: [], leftAlone: [] },
  });
}

/** Instances of groups that we made bigger of which no Node has come yet. They have no name of their own, and no UID. */
function withoutNode({ groups, ledger, snapshot }: PoolSeen): SeenNode[] {
  const registered = new Set(snapshot.nodes.map(instanceIdOf));
  const ours = groups.filter((group) => raised(ledger, group.AutoScalingGroupName ?? '') !== undefined);
  return ours.flatMap((group) => aliveIn(group).filter(({ InstanceId }) => !registered.has(InstanceId)).map((instance) => ghost(group, instance)));
}

function ghost(group: AutoScalingGroup, { InstanceId: id = '', AvailabilityZone: zone = '' }: ReturnType<typeof aliveIn>[number]): SeenNode {
  const ref = { name: id, uid: '', instanceId: id, group: group.AutoScalingGroupName ?? '', zone };
  return { ref, labels: {}, created: Infinity, old: false, usable: false, hostsOperator: false };
}
