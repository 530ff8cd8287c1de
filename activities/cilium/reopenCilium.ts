import { isOffCiliumNodes } from '../../domain/cilium/placement.js';
import { AWS_NODE } from '../../domain/names.js';
import type { CiliumRequest } from '../api.js';
import { addonOffCiliumNodes, readAddon } from '../aws/addon.js';
import type { Clients } from '../clients/index.js';
import { readRelease } from '../helm/release.js';
import { affinityOf } from '../kubernetes/awsNode.js';
import { isCiliumConfined } from '../kubernetes/confinedCilium.js';
import { systemDaemonSet } from '../kubernetes/lists.js';
import { ensureCilium } from './ensureCilium.js';
import { reachedPhase } from './forward.js';
import { withHelmTarget } from './helmTarget.js';

/**
 * Where a rollback ends between Cilium's confinement and aws-node's return, new nodes would have no CNI at all: Cilium goes to them
 * again. Where aws-node is on its way back already nothing is done, for then the two could meet on one node.
 */
export async function reopenCilium(clients: Clients, request: CiliumRequest, cacheDir: string): Promise<{ why: string }> {
  const [daemonSet, owner, release] = await Promise.all([systemDaemonSet(clients, AWS_NODE), readAddon(clients), withHelmTarget(clients, (target) => readRelease(target))]);
  const returned = (daemonSet !== undefined && isOffCiliumNodes(affinityOf(daemonSet))) || (owner !== undefined && addonOffCiliumNodes(owner.addon));
  if (returned) return { why: 'new nodes come up on aws-node; those of Cilium stay as they are' };
  // A helm that was cut off has not said so, but the DaemonSets tell.
  const confined = reachedPhase(release) === 'rollback' || (await isCiliumConfined(clients));
  if (!confined) return { why: 'Cilium was not confined yet: new nodes come up on it' };
  const { toward: _back, ...target } = request.target;
  await ensureCilium(clients, { ...request, target, phase: 'migration' }, cacheDir);
  return { why: 'Cilium goes to new nodes again, since aws-node was not restored yet; its policy enforcement is off until a start or a rollback goes on' };
}
