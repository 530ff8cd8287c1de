import { limitProblem, limitsProblem } from './pool/limits.js';
import type { NodeLimit } from './pool/limits.js';
import type { FailureLimits } from './pool/ramp.js';
import { DRAIN_TIMEOUTS } from './spec/words.js';
import type { DrainSpec } from './spec/schema.js';

/** What `set` changes while a run goes on; it begins with what the spec says. */
export interface Settings {
  soakSeconds: number;
  canarySoakSeconds: number;
  maxSurge: NodeLimit;
  maxUnavailable: NodeLimit;
  failuresInARow: FailureLimits;
  drain: DrainSpec;
  /** As in the spec; not to be set. Absent in runs that began before it was kept here. */
  shouldDecrementDesiredCapacity?: boolean;
}

/** Keys of `set`, each with what it takes; a new key is one line. */
const SETTERS: Record<string, { expected: string; fits: (value: string) => boolean; apply: (settings: Settings, value: string) => Settings }> = {
  soakSeconds: {
    expected: 'a whole number of seconds from 0 to 86400',
    fits: (value) => /^\d+$/.test(value) && Number(value) <= 86_400,
    apply: (settings, value) => ({ ...settings, soakSeconds: Number(value) }),
  },
  canarySoakSeconds: {
    expected: 'a whole number of seconds from 0 to 86400',
    fits: (value) => /^\d+$/.test(value) && Number(value) <= 86_400,
    apply: (settings, value) => ({ ...settings, canarySoakSeconds: Number(value) }),
  },
  maxSurge: {
    expected: 'a number of nodes or a percentage such as 25%',
    fits: (value) => limitProblem(value) === null,
    apply: (settings, value) => ({ ...settings, maxSurge: value }),
  },
  maxUnavailable: {
    expected: 'a number of nodes or a percentage such as 25%',
    fits: (value) => limitProblem(value) === null,
    apply: (settings, value) => ({ ...settings, maxUnavailable: value }),
  },
  'failuresInARow.canary': {
    expected: 'a whole number from 1 to 100',
    fits: isFailureLimit,
    apply: (settings, value) => ({ ...settings, failuresInARow: { ...settings.failuresInARow, canary: Number(value) } }),
  },
  'failuresInARow.later': {
    expected: 'a whole number from 1 to 100',
    fits: isFailureLimit,
    apply: (settings, value) => ({ ...settings, failuresInARow: { ...settings.failuresInARow, later: Number(value) } }),
  },
  'drain.emptyDir': {
    expected: 'evict or block',
    fits: isEvictOrBlock,
    apply: (settings, value) => ({ ...settings, drain: { ...settings.drain, emptyDir: evictOrBlock(value) } }),
  },
  'drain.barePods': {
    expected: 'evict or block',
    fits: isEvictOrBlock,
    apply: (settings, value) => ({ ...settings, drain: { ...settings.drain, barePods: evictOrBlock(value) } }),
  },
  'drain.timeLimitSeconds': {
    expected: 'a whole number of seconds from 5 to 86400',
    fits: (value) => /^\d+$/.test(value) && Number(value) >= 5 && Number(value) <= 86_400,
    apply: (settings, value) => ({ ...settings, drain: { ...settings.drain, timeLimitSeconds: Number(value) } }),
  },
  'drain.onTimeout': {
    expected: DRAIN_TIMEOUTS.join(', '),
    fits: (value) => DRAIN_TIMEOUTS.some((policy) => policy === value),
    apply: (settings, value) => ({ ...settings, drain: { ...settings.drain, onTimeout: DRAIN_TIMEOUTS.find((policy) => policy === value) ?? settings.drain.onTimeout } }),
  },
};

function isFailureLimit(value: string): boolean {
  return /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 100;
}

function isEvictOrBlock(value: string): boolean {
  return value === 'evict' || value === 'block';
}

function evictOrBlock(value: string): 'evict' | 'block' {
  return value === 'evict' ? 'evict' : 'block';
}

/** Why values do not fit; null where they do. */
export function setRefusal(values: Record<string, string>): string | null {
  if (Object.keys(values).length === 0) return `expected at least one of ${Object.keys(SETTERS).join(', ')}`;
  for (const [key, value] of Object.entries(values)) {
    const setter = Object.hasOwn(SETTERS, key) ? SETTERS[key] : undefined;
    if (!setter) return `expected one of ${Object.keys(SETTERS).join(', ')}, saw "${key}"`;
    if (!setter.fits(String(value))) return `${key}: expected ${setter.expected}, saw "${value}"`;
  }
  return null;
}

/** What the spec refuses, too: settings with which nothing could move, or groups would grow and shrink at once. */
export function limitsRefusal(settings: Settings, values: Record<string, string>): string | null {
  return limitsProblem(applySettings(settings, values));
}

/** The settings after values that fit. */
export function applySettings(settings: Settings, values: Record<string, string>): Settings {
  return Object.entries(values).reduce((now, [key, value]) => SETTERS[key]?.apply(now, String(value)) ?? now, settings);
}
