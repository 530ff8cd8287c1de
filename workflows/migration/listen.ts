import { setHandler } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import type { Approval, Command, NodeVerb, Said, SetValues } from '../../domain/control.js';
import { accept, heardForce, ignore, refusal } from '../../domain/control.js';
import { now } from '../clock.js';
import {
  abortSignal,
  abortUpdate,
  approveSignal,
  approveUpdate,
  checkpointQuery,
  holdSignal,
  nodeEndedSignal,
  nodeProgressSignal,
  pauseSignal,
  pauseUpdate,
  reportQuery,
  resumeSignal,
  resumeUpdate,
  retryUpdate,
  setUpdate,
  skipUpdate,
  statusQuery,
  unholdSignal,
} from '../messages.js';
import { reportOf } from './book.js';
import type { Migration } from './migration.js';

/**
 * Every handler changes intent only; the main loop acts. An Update that does not fit is refused before it enters history; a
 * Signal cannot be refused, so one that does not fit is recorded and ignored.
 */
export function listen(migration: Migration): void {
  const refuse = (command: Command) => {
    const why = refusal(migration.control, command);
    if (why) throw ApplicationFailure.nonRetryable(why, 'Refused');
  };
  const act = (command: Command): string => {
    migration.control = accept(migration.control, command, now());
    return migration.state;
  };
  const hear = (command: Command) => {
    const why = refusal(migration.control, command);
    if (why) migration.control = ignore(migration.control, command, { at: now(), ignored: why });
    else act(command);
  };
  const pause = (said: Said): Command => ({ ...said, verb: 'pause' });
  const resume = (said: Said): Command => ({ ...said, verb: 'resume' });
  const approve = (said: Approval): Command => ({ ...said, verb: 'approve' });
  const abort = (said: Said): Command => ({ ...said, verb: 'abort' });
  const skip = (said: NodeVerb): Command => ({ ...said, verb: 'skip' });
  const retry = (said: NodeVerb): Command => ({ ...said, verb: 'retry' });
  const set = (said: SetValues): Command => ({ ...said, verb: 'set' });

  setHandler(pauseUpdate, (said) => act(pause(said)), { validator: (said) => refuse(pause(said)), description: 'Finish the node in progress, start no other; a drain stops between evictions. {"reason", "by"}' });
  setHandler(resumeUpdate, (said) => act(resume(said)), { validator: (said) => refuse(resume(said)), description: 'Go on after a pause. {"reason", "by"}' });
  setHandler(approveUpdate, (said) => act(approve(said)), { validator: (said) => refuse(approve(said)), description: 'Approve an open gate, with the digest that the status shows. {"gate", "digest", "reason", "by"}; for force also "node" and "pods"' });
  setHandler(abortUpdate, (said) => act(abort(said)), { validator: (said) => refuse(abort(said)), description: 'Stop: extra nodes of a surge are taken back (said once more: left), guards are given back, the cluster stays as far as it came. {"reason", "by"}' });
  setHandler(skipUpdate, (said) => act(skip(said)), { validator: (said) => refuse(skip(said)), description: 'Leave a node as it was found. {"node", "reason", "by"}' });
  setHandler(retryUpdate, (said) => act(retry(said)), { validator: (said) => refuse(retry(said)), description: 'Try a stuck or skipped node again. {"node", "reason", "by"}' });
  setHandler(setUpdate, (said) => act(set(said)), { validator: (said) => refuse(set(said)), description: 'Change a setting of the running migration. {"values": {KEY: VALUE}, "by"}' });

  setHandler(pauseSignal, (said) => hear(pause(said)), { description: 'As the update; lands with no worker alive' });
  setHandler(resumeSignal, (said) => hear(resume(said)), { description: 'As the update; lands with no worker alive' });
  setHandler(approveSignal, (said) => hear(approve(said)), { description: 'As the update; lands with no worker alive' });
  setHandler(abortSignal, (said) => hear(abort(said)), { description: 'As the update; lands with no worker alive' });
  setHandler(holdSignal, (said) => hear({ ...said, verb: 'hold' }), { description: 'From the fleet: a pause beside a person\'s own. {"reason", "by"}' });
  setHandler(unholdSignal, (said) => hear({ ...said, verb: 'unhold' }), { description: 'From the fleet: the end of its hold. {"reason", "by"}' });
  setHandler(
    nodeProgressSignal,
    (progress) => {
      migration.heardNews();
      // A node that has ended may still be heard: only those in flight are shown.
      const known = migration.flying.get(progress.node.instanceId);
      // Two words of one moment may come in either order: the older one is no news.
      if (known === undefined || (progress.seq ?? 0) < (known.seq ?? 0)) return;
      migration.flying.set(progress.node.instanceId, progress);
      migration.control = heardForce(migration.control, progress.node.instanceId, progress.force);
    },
    { description: 'From a node in flight: its step and what blocks it' },
  );

  setHandler(nodeEndedSignal, (result) => migration.nodeEnded(result), { description: 'From a node that outlived the run that started it: how it ended' });

  setHandler(
    statusQuery,
    () => migration.status(),
    { description: 'How the migration stands (stable JSON)' },
  );
  setHandler(checkpointQuery, () => migration.checkpoint(), { description: 'What continue-as-new would carry (not stable)' });
  setHandler(reportQuery, () => reportOf(migration.book, migration.ids), { description: 'The report so far (stable JSON)' });
}
