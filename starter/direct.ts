import { existsSync } from 'node:fs';
import { toFailure } from '../activities/failures.js';
import type { Manifest } from '../domain/spec/schema.js';
import { ExitError, usageError } from './exit.js';
import { exitCodeOfFailure } from './failure.js';

/**
 * Looks at a cluster from this machine, without Temporal and a worker; errors are worded by the same mapper as the worker's.
 * @throws ExitError 3 (cluster or AWS out of reach), 1 (refused for good)
 */
export async function directly<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    const failure = toFailure(error);
    throw new ExitError(exitCodeOfFailure(failure), failure.message, { cause: error });
  }
}

/** @throws ExitError 2 where the kubeconfig is not on this machine */
export function expectKubeconfig({ spec }: Manifest): void {
  const { kubeconfig } = spec.cluster;
  if (kubeconfig !== undefined && !existsSync(kubeconfig)) throw usageError(`spec.cluster.kubeconfig: no such file: ${kubeconfig}`);
}
