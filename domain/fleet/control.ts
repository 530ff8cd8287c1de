import type { Approval, Said } from '../control.js';
import { AUDIT_LIMIT } from '../control.js';
import type { AuditEntry } from '../status.js';

/** What operators asked of a fleet, as plain data, and the only code that changes it; as domain/control.ts for one cluster. */
export type FleetCommand = ({ verb: 'pause' } & Said) | ({ verb: 'resume' } & Said) | ({ verb: 'abort' } & Said) | ({ verb: 'approve' } & Approval);

/** A gate after a ring that waits: bound to how its clusters came out. */
export interface RingGate {
  ring: string;
  digest: string;
  shows: string[];
  /** ISO 8601. */
  since: string;
}

export interface FleetControl {
  gate: RingGate | null;
  /** Rings whose gate was approved. */
  approved: string[];
  paused: { by: string; reason: string; at: string } | null;
  abort: { by: string; reason: string; at: string } | null;
  /** Failed clusters that a person has seen and resumed past. */
  forgiven: string[];
  audit: AuditEntry[];
  version: number;
}

/** Who pauses on the fleet's own account. */
const SELF = 'ciliate';

export function initialFleetControl(): FleetControl {
  return { gate: null, approved: [], paused: null, abort: null, forgiven: [], audit: [], version: 0 };
}

/** Why a command does not fit right now, for a person; null where it fits. Called by validators, so it never throws. */
export function fleetRefusal(control: FleetControl, command: FleetCommand): string | null {
  const said: Partial<Record<string, unknown>> = { ...command };
  const missing = ['reason', ...(command.verb === 'approve' ? ['gate', 'digest'] : [])].filter((key) => typeof said[key] !== 'string' || said[key].trim() === '');
  if (missing.length > 0) return `expected a text for ${missing.map((key) => `"${key}"`).join(' and ')}, e.g. {"reason": "…"}`;
  if (control.abort && command.verb !== 'abort') return `expected a fleet that goes on, saw one that is aborting (${control.abort.reason})`;
  switch (command.verb) {
    case 'pause':
      return control.paused && !pausedItself(control) ? `already paused by ${control.paused.by}: ${control.paused.reason}` : null;
    case 'resume':
      return control.paused ? null : 'expected a paused fleet, saw one that is not paused';
    case 'abort':
      return control.abort ? `already aborting, by ${control.abort.by}` : null;
    case 'approve':
      return approvalRefusal(control, command);
    default:
      return command satisfies never;
  }
}

function approvalRefusal({ gate }: FleetControl, { gate: ring, digest }: Approval): string | null {
  if (gate === null) return `expected the gate after ring ${ring} to be open, saw no open gate`;
  if (gate.ring !== ring) return `expected ring ${gate.ring}, whose gate is open, saw ${ring}`;
  return gate.digest === digest ? null : `expected digest ${gate.digest}: ring ${ring} stands otherwise than what was approved (${digest}); look at the status again`;
}

/** The state after a command that fits. `failing`: clusters that count against the budget now; a resume goes past them. */
export function acceptFleet(control: FleetControl, command: FleetCommand, { at, failing }: { at: string; failing: readonly string[] }): FleetControl {
  return noted(effect(control, command, { at, failing }), entryOf(command, at));
}

/** The state after a signal that did not fit: only the record of it. */
export function ignoreFleet(control: FleetControl, command: FleetCommand, why: { at: string; ignored: string }): FleetControl {
  return noted(control, { ...entryOf(command, why.at), ignored: why.ignored });
}

function effect(control: FleetControl, command: FleetCommand, { at, failing }: { at: string; failing: readonly string[] }): FleetControl {
  const next = { ...control, version: control.version + 1 };
  switch (command.verb) {
    case 'pause':
      return { ...next, paused: { by: command.by, reason: command.reason, at } };
    case 'resume':
      return { ...next, paused: null, forgiven: [...new Set([...control.forgiven, ...failing])] };
    case 'abort':
      return { ...next, abort: { by: command.by, reason: command.reason, at } };
    case 'approve':
      return { ...next, gate: null, approved: [...control.approved, command.gate] };
    default:
      return command satisfies never;
  }
}

/** Whether it paused on its own account: then it starts no other cluster, and those under way go on. */
export function pausedItself({ paused }: FleetControl): boolean {
  return paused?.by === SELF;
}

/** Pauses on its own account, and says why. */
export function pauseFleetItself(control: FleetControl, reason: string, at: string): FleetControl {
  if (control.paused) return control;
  return noted({ ...control, paused: { by: SELF, reason, at }, version: control.version + 1 }, { at, verb: 'pause', by: SELF, reason });
}

/** The reason of a pause of its own is gone. */
export function resumeFleetItself(control: FleetControl, reason: string, at: string): FleetControl {
  if (!pausedItself(control)) return control;
  return noted({ ...control, paused: null, version: control.version + 1 }, { at, verb: 'resume', by: SELF, reason });
}

/** Opens, renews or closes the gate. One whose ring stands otherwise than before is open again with what is true now. */
export function setGate(control: FleetControl, gate: RingGate | null): FleetControl {
  if (control.gate?.ring === gate?.ring && control.gate?.digest === gate?.digest) return control;
  return { ...control, gate, version: control.version + 1 };
}

function noted(control: FleetControl, entry: AuditEntry): FleetControl {
  return { ...control, audit: [...control.audit, entry].slice(-AUDIT_LIMIT) };
}

function entryOf(command: FleetCommand, at: string): AuditEntry {
  const base = { at, verb: command.verb, by: String(command.by ?? ''), reason: String(command.reason ?? '') };
  return command.verb === 'approve' ? { ...base, on: command.gate, digest: command.digest } : base;
}
