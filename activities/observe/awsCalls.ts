import type { ObservedCluster } from '../../domain/observation.js';

type Verdict = ObservedCluster['aws']['actions'][number];

/**
 * AWS calls of one observation, and what they proved: a call that worked proves its action, one that was denied becomes a finding
 * with the rest and not the end of the preflight.
 */
export class AwsCalls {
  private readonly seen = new Map<string, Verdict>();

  /** The answer, or `denied` where AWS refuses the action. Every other error is passed on. */
  async use<T>(action: string, call: () => Promise<T>, denied: T): Promise<T> {
    try {
      const answer = await call();
      if (!this.seen.has(action)) this.seen.set(action, { action, verdict: 'allowed', how: 'used' });
      return answer;
    } catch (error) {
      if (!isDenied(error)) throw error;
      this.seen.set(action, { action, verdict: 'denied', how: 'tried' });
      return denied;
    }
  }

  verdict(action: string): Verdict | undefined {
    return this.seen.get(action);
  }
}

/** Whether an error of the AWS SDK says that the caller lacks the right. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && /^(AccessDenied|UnauthorizedOperation|NotAuthorized)/.test(error.name);
}
