import { setHandler } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { acceptFleet, fleetRefusal, ignoreFleet } from '../../domain/fleet/control.js';
import type { FleetCommand } from '../../domain/fleet/control.js';
import { now } from '../clock.js';
import { abortSignal, abortUpdate, approveSignal, approveUpdate, checkpointQuery, pauseSignal, pauseUpdate, resumeSignal, resumeUpdate } from '../messages.js';
import type { Fleet } from './fleet.js';
import { fleetStatusQuery } from './messages.js';

/** As for one cluster: handlers change intent only; Updates are refused where they do not fit, Signals are recorded and ignored. */
export function listenFleet(fleet: Fleet): void {
  const refuse = (command: FleetCommand) => {
    const why = fleetRefusal(fleet.control, command);
    if (why) throw ApplicationFailure.nonRetryable(why, 'Refused');
  };
  const act = (command: FleetCommand): string => {
    fleet.control = acceptFleet(fleet.control, command, { at: now(), failing: fleet.overBudget });
    return fleet.state;
  };
  const hear = (command: FleetCommand) => {
    const why = fleetRefusal(fleet.control, command);
    if (why) fleet.control = ignoreFleet(fleet.control, command, { at: now(), ignored: why });
    else act(command);
  };
  setHandler(pauseUpdate, (said) => act({ ...said, verb: 'pause' }), { validator: (said) => refuse({ ...said, verb: 'pause' }), description: 'Start no other cluster; those under way pause between nodes. {"reason", "by"}' });
  setHandler(resumeUpdate, (said) => act({ ...said, verb: 'resume' }), { validator: (said) => refuse({ ...said, verb: 'resume' }), description: 'Go on; past the failures that stopped the fleet. {"reason", "by"}' });
  setHandler(abortUpdate, (said) => act({ ...said, verb: 'abort' }), { validator: (said) => refuse({ ...said, verb: 'abort' }), description: 'Abort every cluster under way, start no other. {"reason", "by"}' });
  setHandler(approveUpdate, (said) => act({ ...said, verb: 'approve' }), { validator: (said) => refuse({ ...said, verb: 'approve' }), description: 'Approve the gate after a ring. {"gate": RING, "digest", "reason", "by"}' });
  setHandler(pauseSignal, (said) => hear({ ...said, verb: 'pause' }), { description: 'As the update; lands with no worker alive' });
  setHandler(resumeSignal, (said) => hear({ ...said, verb: 'resume' }), { description: 'As the update; lands with no worker alive' });
  setHandler(abortSignal, (said) => hear({ ...said, verb: 'abort' }), { description: 'As the update; lands with no worker alive' });
  setHandler(approveSignal, (said) => hear({ ...said, verb: 'approve' }), { description: 'As the update; lands with no worker alive' });
  setHandler(fleetStatusQuery, () => fleet.status(), { description: 'How the fleet stands (stable JSON)' });
  setHandler(checkpointQuery, () => fleet.book, { description: 'What continue-as-new would carry (not stable)' });
}
