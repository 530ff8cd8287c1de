import { createLogUpdate } from 'log-update';
import { fleetChanges, renderFleet } from '../../domain/report/fleet.js';
import type { FleetStatus } from '../../domain/fleet/status.js';
import { canRedraw } from '../view/screen.js';
import { clock } from '../view/time.js';

/** Where a fleet that is watched is shown: a picture on a terminal, a line a change elsewhere, a status a line as JSON. */
export function fleetScreen(stream: NodeJS.WriteStream, format: 'table' | 'json'): (status: FleetStatus) => void {
  if (format === 'json') return onChange((status) => stream.write(`${JSON.stringify(status)}\n`));
  if (canRedraw(stream)) {
    const update = createLogUpdate(stream, { showCursor: true });
    return (status) => update(renderFleet(status, new Date().toISOString()).trimEnd());
  }
  let before: FleetStatus | undefined;
  return (status) => {
    for (const line of fleetChanges(before, status)) stream.write(`${clock(new Date().toISOString())} ${line}\n`);
    before = status;
  };
}

function onChange(write: (status: FleetStatus) => void): (status: FleetStatus) => void {
  let before = '';
  return (status) => {
    const text = JSON.stringify(status);
    if (text !== before) write(status);
    before = text;
  };
}
