import type { V1Node } from '@kubernetes/client-node';
import { CiliateError } from '../../../domain/failures.js';
import { entryKey } from '../../../domain/ledger.js';
import type { GuardEntry, GuardKind, GuardNow, LedgerSet } from '../../../domain/ledger.js';
import { isNotFound, orUndefined } from '../../clients/errors.js';
import type { Clients } from '../../clients/index.js';
import type { Guard, Wanted } from '../guard.js';
import { listNodes } from '../lists.js';
import { setBy } from '../managedFields.js';
import { patchNode, pointer } from '../patch.js';
import type { PatchOp } from '../patch.js';

/** One field of a Node, as texts. */
export interface NodeField {
  kind: GuardKind;
  set: LedgerSet;
  ours: string;
  /** Path of the field, as segments; the last but one may be a map that is not there yet. */
  path: [string, string] | [string, string, string];
  read(node: V1Node): string | null;
  /** The value as JSON. */
  json(value: string): unknown;
}

/** Up to this many nodes are read one by one; more are listed. */
const ONE_BY_ONE = 4;

/** A guard on one field of Nodes, recognised by UID. Which nodes it wants is the caller's matter. */
export function nodeGuard(field: NodeField): Guard & { entryFor(node: V1Node): Wanted } {
  const nowOf = (node: V1Node): GuardNow => ({ value: field.read(node), setBy: setBy(node.metadata?.managedFields, field.path) });
  return {
    kind: field.kind,
    entryFor(node) {
      const name = node.metadata?.name ?? '';
      const now = nowOf(node);
      const object = `Node ${name}: ${field.path.at(-1)}`;
      return { now, entry: { kind: field.kind, set: field.set, object, id: node.metadata?.uid ?? '', name, prior: now.value, ours: field.ours, at: new Date().toISOString() } };
    },
    async read(clients, entries) {
      const byUid = new Map((await nodesOf(clients, entries)).map((node) => [node.metadata?.uid, node]));
      return new Map(
        entries.flatMap((entry) => {
          const node = byUid.get(entry.id);
          return node === undefined ? [] : [[entryKey(entry), nowOf(node)] as const];
        }),
      );
    },
    async write(clients, entry, to) {
      const node = await orUndefined(clients.kube.core.readNode({ name: entry.name }));
      if (node?.metadata?.uid !== entry.id || field.read(node) === to) return;
      // Read once more, for the write: taking goes on from `prior`, giving back from `ours`. Anything else is a newer wish.
      if (field.read(node) !== (to === entry.ours ? entry.prior : entry.ours)) throw changed(entry, field.read(node));
      try {
        await patchNode(clients, entry.name, patchOf(field, node, to));
      } catch (error) {
        // Gone meanwhile: there is nothing left to change.
        if (!isNotFound(error)) throw error;
      }
    },
  };
}

function changed(entry: GuardEntry, seen: string | null): CiliateError {
  const text = { object: entry.object, expected: 'it as it was read', seen: seen ?? 'absent', todo: 'It is read and decided again.' };
  return new CiliateError('Transient', text, { code: 'Conflict' });
}

async function nodesOf(clients: Clients, entries: GuardEntry[]): Promise<V1Node[]> {
  const names = [...new Set(entries.map((entry) => entry.name))];
  if (names.length > ONE_BY_ONE) return listNodes(clients);
  const nodes = await Promise.all(names.map((name) => orUndefined(clients.kube.core.readNode({ name }))));
  return nodes.filter((node) => node !== undefined);
}

function patchOf(field: NodeField, node: V1Node, to: string | null): PatchOp[] {
  const path = pointer(...field.path);
  const parent = field.path.length === 3 ? pointer(...field.path.slice(0, 2)) : undefined;
  const now = field.read(node);
  const there = now !== null;
  const ops: PatchOp[] = [{ op: 'test', path: '/metadata/uid', value: node.metadata?.uid }];
  if (there) ops.push({ op: 'test', path, value: field.json(now) });
  if (to === null) return there ? [...ops, { op: 'remove', path }] : ops;
  if (parent !== undefined && !hasParent(node, field.path)) ops.push({ op: 'add', path: parent, value: {} });
  return [...ops, { op: 'add', path, value: field.json(to) }];
}

function hasParent(node: V1Node, path: NodeField['path']): boolean {
  const [, map] = path;
  return map === 'labels' ? node.metadata?.labels !== undefined : node.metadata?.annotations !== undefined;
}
