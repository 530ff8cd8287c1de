import { clipped } from '../clipped.js';

/** An error that the Eviction API answered with, as far as the rule reads it. */
export interface EvictionAnswer {
  /** HTTP status. */
  code: number;
  /** Of the Status; absent where the answer is none (a proxy's). */
  reason?: string;
  message: string;
  causes: { reason?: string; message?: string }[];
}

/**
 * `gone`, `conflict`: about the pod as it is now. `budget`, `budgets`: one PodDisruptionBudget says no, or two are one too many.
 * `refused`: somebody else says no to this very pod. `failed`: nothing about the pod; the run has to do with it.
 */
export type EvictionVerdict = { is: 'gone' | 'conflict' | 'budgets' | 'failed' } | { is: 'budget'; name?: string; reason: string } | { is: 'refused'; reason: string; todo: string };

const DENIED = /admission webhook "([^"]+)" denied the request/;
const UNANSWERED = /failed calling (?:admission )?webhook "([^"]+)"/;
/** ValidatingAdmissionPolicy 'x' with binding 'y' denied request: … */
const POLICY = /AdmissionPolicy '([^']+)'.* denied request/;
/** The authorizer's words, whichever it is: it will say the same of every pod. */
const UNAUTHORIZED = /User "[^"]*" cannot create resource "pods\/eviction"/;
/** Others' words stand in status and Events. */
const LONGEST = 500;

/**
 * Whose matter a refused eviction is. Webhooks answer with whatever status they like (429 and 500 so that `kubectl drain` tries
 * again), so their words come before the status; what concerns one pod must not keep the others from being evicted.
 */
export function evictionVerdict({ code, reason, message, causes }: EvictionAnswer): EvictionVerdict {
  const text = clipped(message, LONGEST);
  const refused = (todo: string): EvictionVerdict => ({ is: 'refused', reason: text, todo });
  const [, denier] = DENIED.exec(message) ?? [];
  if (denier !== undefined) return refused(`It is tried again; if it stays, see what webhook ${denier} asks for: ${CONFIGURATIONS}`);
  const [, silent] = UNANSWERED.exec(message) ?? [];
  if (silent !== undefined) return refused(`It is tried again; if it stays, mend what answers for webhook ${silent}: ${CONFIGURATIONS}`);
  const [, policy] = POLICY.exec(message) ?? [];
  if (policy !== undefined) return refused(`It is tried again; if it stays: kubectl describe validatingadmissionpolicy ${policy}`);
  switch (code) {
    case 404:
      return { is: 'gone' };
    case 409:
      return { is: 'conflict' };
    case 429:
      return throttledBy(message, causes);
    case 403:
      // Not in the API server's form: a proxy before it.
      return reason !== 'Forbidden' || UNAUTHORIZED.test(message) ? { is: 'failed' } : refused('It is tried again; if it stays, change what the message names.');
    case 400:
    case 422:
      return reason === undefined ? { is: 'failed' } : refused('It is tried again; if it stays, change what the message names.');
    default:
      if (/more than one PodDisruptionBudget/i.test(message)) return { is: 'budgets' };
      return /update PodDisruptionBudget .*due to conflicts/i.test(message) ? refused('It is tried again.') : { is: 'failed' };
  }
}

const CONFIGURATIONS = 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations';

/** A budget, or an API server that has too much to do: then every other eviction would be one more. */
function throttledBy(message: string, causes: EvictionAnswer['causes']): EvictionVerdict {
  const cause = causes.find((candidate) => candidate.reason === 'DisruptionBudget');
  if (cause === undefined && !/disruption budget/i.test(message)) return { is: 'failed' };
  const reason = cause?.message ?? message;
  return { is: 'budget', name: /disruption budget (\S+) (?:needs|is|does)/i.exec(reason)?.[1], reason };
}
