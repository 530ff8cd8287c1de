import { CiliateError } from '../../domain/failures.js';
import { runHelm } from './run.js';

/** Version of the helm that will be run, such as `v4.3.1`; null where there is none. */
export async function helmVersion(signal?: AbortSignal): Promise<{ version: string } | null> {
  try {
    const version = (await runHelm(['version', '--template', '{{.Version}}'], { timeoutMs: 30_000, ...(signal === undefined ? {} : { signal }) })).trim();
    return { version };
  } catch (error) {
    if (error instanceof CiliateError && error.code === 'HelmMissing') return null;
    throw error;
  }
}
