import { CancellationScope } from '@temporalio/workflow';
import type { NodeResult } from '../domain/refresh.js';
import { NodeRefresh } from './node/refresh.js';
import type { RefreshInput } from './node/refresh.js';

/**
 * Refreshes one node: cordon, drain, terminate in its Auto Scaling group, prove the replacement. Never fails: what will not
 * go on becomes a blocker, and waits for `retry`, `skip` or `abort`. Before the termination a node can be handed back as it
 * was found; after it, the only way is on.
 */
export async function refreshNode(input: RefreshInput): Promise<NodeResult> {
  const refresh = new NodeRefresh(input);
  refresh.listen();
  void CancellationScope.current().cancelRequested.catch(() => refresh.cancelled());
  return CancellationScope.nonCancellable(() => refresh.run());
}
