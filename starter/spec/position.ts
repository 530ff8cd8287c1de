import { isAlias, isMap, isPair, isScalar, isSeq } from 'yaml';
import type { Document, LineCounter, Node } from 'yaml';

export interface Position {
  line: number;
  col: number;
}

type Path = readonly PropertyKey[];

/** Finds where in the file a path stands. Where it does not (a missing key), the nearest parent that does. */
export class Positions {
  constructor(
    private readonly document: Document.Parsed,
    private readonly lines: LineCounter,
  ) {}

  /** Of the value at `path`. */
  ofValue(path: Path): Position {
    let node: unknown = this.document.contents;
    let offset = offsetOf(node);
    for (const part of path) {
      const next = this.child(node, part);
      if (next === undefined) break;
      offset = offsetOf(next.value) ?? offsetOf(next.key) ?? offset;
      node = next.value;
    }
    return this.at(offset ?? 0);
  }

  /** Of the key at `path`: where an unknown or a fighting key was typed. */
  ofKey(path: Path): Position {
    const parent = this.resolve(path.slice(0, -1));
    const own = this.child(parent, path.at(-1) ?? '');
    const offset = offsetOf(own?.key);
    return offset === undefined ? this.ofValue(path) : this.at(offset);
  }

  at(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(line, 1), col: Math.max(col, 1) };
  }

  private resolve(path: Path): unknown {
    return path.reduce<unknown>((node, part) => this.child(node, part)?.value, this.document.contents);
  }

  private child(parent: unknown, part: PropertyKey): { key: unknown; value: unknown } | undefined {
    const node = isAlias(parent) ? parent.resolve(this.document) : parent;
    if (isSeq(node)) {
      const value: unknown = node.items[Number(part)];
      return value === undefined ? undefined : { key: undefined, value };
    }
    if (!isMap(node)) return undefined;
    const pair = node.items.find((item) => isPair(item) && String(isScalar(item.key) ? item.key.value : item.key) === String(part));
    return pair === undefined ? undefined : { key: pair.key, value: pair.value };
  }
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | undefined | null)?.range?.[0];
}
