import { FORCE, findForce, forceOf, forceRefusal, podText } from './force.js';
import type { OpenForce } from './force.js';
import { applySettings, limitsRefusal, setRefusal } from './settings.js';
import type { Settings } from './settings.js';
import type { AuditEntry, OpenGate } from './status.js';
import { GATES } from './spec/words.js';
import type { Gate } from './spec/words.js';

/**
 * What operators asked for, as plain data, and the only code that changes it. Handlers of updates and signals call
 * {@link refusal} and {@link accept}; the workflow's main loop reads the state and acts. Pure, so tested by the thousand.
 */

/** Fields shared by every verb: who and why. */
export interface Said {
  by: string;
  reason: string;
}
export interface Approval extends Said {
  gate: string;
  digest: string;
  /** For gates about one node. */
  node?: string;
  /** For gates about pods, `namespace/name`. */
  pods?: string[];
}
export interface NodeVerb extends Said {
  /** Node name or instance id. */
  node: string;
}
export interface SetValues {
  values: Record<string, string>;
  by: string;
  reason?: string;
}

export type Command =
  | ({ verb: 'pause' } & Said)
  | ({ verb: 'hold' } & Said)
  | ({ verb: 'unhold' } & Said)
  | ({ verb: 'resume' } & Said)
  | ({ verb: 'abort' } & Said)
  | ({ verb: 'approve' } & Approval)
  | ({ verb: 'skip' } & NodeVerb)
  | ({ verb: 'retry' } & NodeVerb)
  | ({ verb: 'set' } & SetValues);

/** A node in flight, as far as commands need to know it. */
export interface FlyingNode {
  name: string;
  instanceId: string;
}

export interface Control {
  /** Set by the gate loop, cleared when approved. */
  gate: OpenGate | null;
  /** Digest each gate was approved for; a gate whose digest changed since is open again. */
  approved: Partial<Record<Gate, string>>;
  /** Open gates `force`, as the nodes in flight told of them; {@link openForces} leaves out those that have ended. */
  forces: OpenForce[];
  /** UIDs of pods that may be deleted, by instance id of their node. */
  forced: Record<string, string[]>;
  paused: { by: string; reason: string; at: string } | null;
  /** A pause of the fleet that the run belongs to: beside `paused`, so that a person's pause stays a person's. */
  held?: { by: string; reason: string; at: string } | null;
  abort: { by: string; reason: string; at: string } | null;
  /** While a run that ends takes back the extra nodes of its surge; an abort meanwhile leaves them (`calledOff`). */
  takingBack: { calledOff: { by: string; reason: string; at: string } | null } | null;
  /** Nodes that are not to be refreshed in this run; one that was skipped before its turn is known only as it was typed. */
  skipped: FlyingNode[];
  /** How often `retry` was said, by instance id. */
  retries: Record<string, number>;
  flying: FlyingNode[];
  settings: Settings;
  audit: AuditEntry[];
  /** Goes up with every change, so that a loop can tell that something was said. */
  version: number;
}

/** Who pauses on the run's own account. */
const SELF = 'ciliate';

/** The audit keeps the newest entries; a run that is paused and resumed for months must not outgrow a payload. */
export const AUDIT_LIMIT = 200;

export function initialControl(settings: Settings): Control {
  return { gate: null, approved: {}, forces: [], forced: {}, paused: null, abort: null, takingBack: null, skipped: [], retries: {}, flying: [], settings, audit: [], version: 0 };
}

/** Why a command does not fit right now, for a person; null where it fits. Called by validators, so it never throws. */
export function refusal(control: Control, command: Command): string | null {
  const shape = shapeRefusal(command);
  if (shape) return shape;
  if (control.takingBack) return takingBackRefusal(control, command);
  if (control.abort && command.verb !== 'abort') return `expected a run that goes on, saw one that is aborting (${control.abort.reason})`;
  switch (command.verb) {
    case 'pause':
      return control.paused ? `already paused by ${control.paused.by}: ${control.paused.reason}` : null;
    case 'resume':
      return pauseOf(control) ? null : 'expected a paused run, saw one that is not paused';
    case 'hold':
      return control.held ? `already held by ${control.held.by}: ${control.held.reason}` : null;
    case 'unhold':
      return control.held ? null : 'expected a run that is held, saw one that is not';
    case 'abort':
      return control.abort ? `already aborting, by ${control.abort.by}` : null;
    case 'approve':
      return approvalRefusal(control, command);
    case 'skip':
      return find(control.skipped, command.node) ? `${command.node} is skipped already` : null;
    case 'retry':
      return flyingRefusal(control, command.node);
    case 'set':
      return setRefusal(command.values) ?? limitsRefusal(control.settings, command.values);
    default:
      return command satisfies never;
  }
}

/** The run takes back its extra nodes: it can be told to leave one of them, or all. */
function takingBackRefusal(control: Control, command: Command): string | null {
  switch (command.verb) {
    case 'abort':
      return control.takingBack?.calledOff ? `already leaving the extra nodes, as ${control.takingBack.calledOff.by} said` : null;
    case 'skip':
    case 'retry':
      return flyingRefusal(control, command.node);
    default:
      return 'expected a run that goes on, saw one that ends and takes back its extra nodes; skip leaves one of them, abort leaves all';
  }
}

/** The run ends in the middle of a surge, and begins to take back its extra nodes. */
export function beginTakingBack(control: Control): Control {
  return { ...control, takingBack: { calledOff: null }, version: control.version + 1 };
}

/** The state after a command that fits, and the audit entry that it leaves. */
export function accept(control: Control, command: Command, at: string): Control {
  return noted(effect(control, command, at), { ...entryOf(command, at) });
}

/** What the run is paused by: a person or itself, else its fleet. */
export function pauseOf({ paused, held }: Control): Control['paused'] {
  return paused ?? held ?? null;
}

/** Goes on after a pause of the run's own, whose reason is gone. */
export function resumeItself(control: Control, reason: string, at: string): Control {
  if (control.paused?.by !== SELF) return control;
  return noted({ ...control, paused: null, version: control.version + 1 }, { at, verb: 'resume', by: SELF, reason });
}

/** The state after a signal that did not fit: only the record of it. */
export function ignore(control: Control, command: Command, why: { at: string; ignored: string }): Control {
  return noted(control, { ...entryOf(command, why.at), ignored: why.ignored });
}

/** Opens a gate, unless it was approved for this very digest. */
export function openGate(control: Control, gate: OpenGate): Control {
  if (control.approved[gate.gate] === gate.digest) return control;
  return { ...control, gate, version: control.version + 1 };
}

/** What a node in flight tells of its gate `force`: open for these pods, or closed. */
export function heardForce(control: Control, instanceId: string, told: OpenForce | undefined): Control {
  const force = told === undefined ? null : forceOf(told, control.forced[instanceId] ?? []);
  const others = control.forces.filter(({ node }) => node.instanceId !== instanceId);
  if (force === null && others.length === control.forces.length) return control;
  return { ...control, forces: force === null ? others : [...others, force] };
}

/** The gates `force` that wait: of nodes in flight only. */
export function openForces(control: Control): OpenForce[] {
  return control.forces.filter(({ node }) => find(control.flying, node.instanceId) !== undefined);
}

/** Which nodes are in flight now. What was said of those that have landed is over. */
export function landed(control: Control, flying: FlyingNode[]): Control {
  const open = new Set(flying.map(({ instanceId }) => instanceId));
  const ofFlying = <T>(record: Record<string, T>): Record<string, T> => Object.fromEntries(Object.entries(record).filter(([id]) => open.has(id)));
  return { ...control, flying, forces: control.forces.filter(({ node }) => open.has(node.instanceId)), forced: ofFlying(control.forced) };
}

/** Pauses on the run's own account: a person must decide before it goes on. */
export function pauseItself(control: Control, reason: string, at: string): Control {
  if (control.paused) return control;
  const said = { by: SELF, reason, at };
  return noted({ ...control, paused: said, version: control.version + 1 }, { at, verb: 'pause', by: said.by, reason });
}

function effect(control: Control, command: Command, at: string): Control {
  const next = { ...control, version: control.version + 1 };
  switch (command.verb) {
    case 'pause':
      return { ...next, paused: { by: command.by, reason: command.reason, at } };
    case 'resume':
      // A person's word for this one run: past its own pause, or else past its fleet's.
      return control.paused ? { ...next, paused: null } : { ...next, held: null };
    case 'hold':
      return { ...next, held: { by: command.by, reason: command.reason, at } };
    case 'unhold':
      return { ...next, held: null };
    case 'abort': {
      const said = { by: command.by, reason: command.reason, at };
      return control.takingBack ? { ...next, takingBack: { calledOff: said } } : { ...next, abort: said };
    }
    case 'approve':
      if (command.gate === FORCE) return forced(next, command);
      return { ...next, gate: null, approved: { ...control.approved, [command.gate]: command.digest } };
    case 'skip':
      return { ...next, skipped: [...control.skipped, resolve(control, command.node)] };
    case 'retry': {
      const { instanceId } = resolve(control, command.node);
      const retries = { ...control.retries, [instanceId]: (control.retries[instanceId] ?? 0) + 1 };
      return { ...next, retries, skipped: control.skipped.filter((skipped) => skipped.instanceId !== instanceId) };
    }
    case 'set':
      return { ...next, settings: applySettings(control.settings, command.values) };
    default:
      return command satisfies never;
  }
}

/** Approved pods leave the gate at once; the rest of it goes on waiting. */
function forced(control: Control, approval: Approval): Control {
  const force = findForce(openForces(control), approval.node ?? '');
  if (force === undefined) return control;
  const { instanceId } = force.node;
  const uids = force.pods.filter((pod) => approval.pods?.includes(podText(pod)) === true).map((pod) => pod.uid);
  const all = [...new Set([...(control.forced[instanceId] ?? []), ...uids])];
  return heardForce({ ...control, forced: { ...control.forced, [instanceId]: all } }, instanceId, force);
}

function noted(control: Control, entry: AuditEntry): Control {
  return { ...control, audit: [...control.audit, entry].slice(-AUDIT_LIMIT) };
}

function entryOf(command: Command, at: string): AuditEntry {
  const base = { at, verb: command.verb, by: command.by, reason: command.reason ?? '' };
  switch (command.verb) {
    case 'approve':
      return { ...base, on: [command.gate, ...(typeof command.node === 'string' ? [command.node] : [])].join(' '), digest: command.digest, ...(Array.isArray(command.pods) ? { pods: command.pods.map(String) } : {}) };
    case 'skip':
    case 'retry':
      return { ...base, on: command.node };
    case 'set':
      return { ...base, on: Object.entries(command.values ?? {}).map(([key, value]) => `${key}=${value}`).join(' ') };
    case 'pause':
    case 'resume':
    case 'hold':
    case 'unhold':
    case 'abort':
      return base;
    default:
      return command satisfies never;
  }
}

/** Signals and `temporal workflow update` bring whatever a person typed: checked before anything is read from it. */
function shapeRefusal(command: Command): string | null {
  const said: Partial<Record<string, unknown>> = { ...command };
  const needed = [...(command.verb === 'set' ? [] : ['reason']), ...neededBy(command.verb)];
  const missing = needed.filter((key) => typeof said[key] !== 'string' || said[key].trim() === '');
  if (missing.length > 0) return `expected a text for ${missing.map((key) => `"${key}"`).join(' and ')}, e.g. {"reason": "…"}`;
  if (command.verb === 'set' && (typeof said.values !== 'object' || said.values === null)) return 'expected "values", e.g. {"values": {"soakSeconds": "300"}}';
  return null;
}

function neededBy(verb: Command['verb']): string[] {
  switch (verb) {
    case 'approve':
      return ['gate', 'digest'];
    case 'skip':
    case 'retry':
      return ['node'];
    case 'pause':
    case 'resume':
    case 'hold':
    case 'unhold':
    case 'abort':
    case 'set':
      return [];
    default:
      return verb satisfies never;
  }
}

function approvalRefusal(control: Control, approval: Approval): string | null {
  if (approval.gate === FORCE) return forceRefusal(openForces(control), approval);
  if (!GATES.some((gate) => gate === approval.gate)) return `expected a gate (${[...GATES, FORCE].join(', ')}), saw "${approval.gate}"`;
  const open = control.gate;
  if (!open) return `expected gate ${approval.gate} to be open, saw no open gate`;
  if (open.gate !== approval.gate) return `expected gate ${open.gate}, which is open, saw ${approval.gate}`;
  if (open.digest !== approval.digest)
    return `expected digest ${open.digest}: what ${open.gate} decides is not what was approved (${approval.digest}); look at the status again`;
  return null;
}

function flyingRefusal(control: Control, node: string): string | null {
  if (find(control.flying, node) ?? find(control.skipped, node)) return null;
  const seen = control.flying.map((flying) => flying.name).join(', ') || 'no node in flight';
  return `expected a node in flight or skipped, saw ${seen}; ${node} is not among them`;
}

function find(nodes: FlyingNode[], typed: string): FlyingNode | undefined {
  return nodes.find((node) => node.name === typed || node.instanceId === typed);
}

function resolve(control: Control, typed: string): FlyingNode {
  return find(control.flying, typed) ?? find(control.skipped, typed) ?? { name: typed, instanceId: typed };
}
