import { oldSelector } from '../../domain/directions/index.js';
import type { Way } from '../../domain/directions/index.js';
import type { ValuesPhase } from '../../domain/cilium/values.js';
import { isOffCiliumNodes } from '../../domain/cilium/placement.js';
import { offChain } from '../../domain/directions/offChain.js';
import { AWS_NODE, CNI_LABEL, CNI_LABEL_AWS } from '../../domain/names.js';
import type { Clients } from '../clients/index.js';
import type { Release } from '../helm/readRelease.js';
import { OURS } from '../helm/release.js';
import { affinityOf } from '../kubernetes/awsNode.js';
import { isCiliumConfined } from '../kubernetes/confinedCilium.js';
import { listNodes, systemDaemonSet } from '../kubernetes/lists.js';

const ORDER: ValuesPhase[] = ['migration', 'enforcement', 'final'];

/**
 * The phase to apply: the wanted one, or the later one that an earlier run came to. Enforcement that is on is not switched
 * off for a moment only because a run starts over; while a node is on aws-node it is, since its pods have no identity.
 */
export async function forwardPhase(clients: Clients, { wanted, toward = 'cilium', chained = false }: { wanted: ValuesPhase } & Way, release: Release | null): Promise<ValuesPhase> {
  const reached = reachedPhase(release);
  // On the way back Cilium is never let onto new nodes again once aws-node may come to them; going forward it always is.
  if (toward === 'aws-node') return reached === 'rollback' || (await (chained ? leftChain(clients, release) : awsNodeReturned(clients))) ? 'rollback' : wanted;
  if (reached === 'rollback' || reached === null || ORDER.indexOf(reached) <= ORDER.indexOf(wanted)) return wanted;
  const labelled = await listNodes(clients, `${CNI_LABEL}=${CNI_LABEL_AWS}`);
  return labelled.length === 0 ? reached : wanted;
}

/** Also where the release was taken away meanwhile: then only aws-node's affinity tells. */
async function awsNodeReturned(clients: Clients): Promise<boolean> {
  const daemonSet = await systemDaemonSet(clients, AWS_NODE);
  return daemonSet !== undefined && isOffCiliumNodes(affinityOf(daemonSet));
}

/** Off a chain: new nodes come up without Cilium already. Where the release was taken away meanwhile, only the marks tell. */
async function leftChain(clients: Clients, release: Release | null): Promise<boolean> {
  if (await isCiliumConfined(clients)) return true;
  return release === null && (await listNodes(clients, oldSelector(offChain))).length > 0;
}

/** Phase of the newest revision that is deployed and ours, by its description (`ciliate: NAME, PHASE`). */
export function reachedPhase(release: Release | null): ValuesPhase | null {
  if (release === null) return null;
  const deployed = [...release.older, release].reverse().find((revision) => revision.status === 'deployed');
  if (!deployed?.description.startsWith(OURS)) return null;
  return [...ORDER, 'rollback' as const].find((phase) => deployed.description.endsWith(`, ${phase}`)) ?? null;
}
