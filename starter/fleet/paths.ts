import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SpecPart } from '../../domain/fleet/schema.js';
import { isChartReference } from '../spec/paths.js';

/** A part of a spec with its paths made absolute from the folder of the file that says it, before it is merged with others'. */
export function absolutePart(part: SpecPart, folder: string): SpecPart {
  const absolute = (path: string): string => resolve(folder, path.startsWith('~/') ? join(homedir(), path.slice(2)) : path);
  return changed(changed(part, ['cluster', 'kubeconfig'], absolute), ['cilium', 'chart'], (chart) => (isChartReference(chart) ? chart : absolute(chart)));
}

function changed(part: SpecPart, [outer, inner]: [string, string], change: (text: string) => string): SpecPart {
  const mapping = part[outer];
  if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping)) return part;
  const value = mapping[inner];
  return typeof value === 'string' ? { ...part, [outer]: { ...mapping, [inner]: change(value) } } : part;
}
