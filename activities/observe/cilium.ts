import { gunzipSync } from 'node:zlib';
import type { V1Secret } from '@kubernetes/client-node';
import { CILIUM, CILIUM_OPERATOR, CILIUM_RELEASE, CNI_LEDGER, KUBE_SYSTEM } from '../../domain/names.js';
import type { ObservedCilium } from '../../domain/observation.js';
import { OURS } from '../helm/release.js';
import type { KubeClients } from '../clients/index.js';
import { allPages } from '../clients/pages.js';
import { readable } from './lists.js';

type ObservedRelease = NonNullable<ObservedCilium['release']>;

/** Cilium as it is, ours or not; null where neither its agents nor a release of it is there. */
export async function observeCilium(kube: KubeClients): Promise<ObservedCilium | null> {
  const [agent, operator, config, ledger, secrets] = await Promise.all([
    readable(kube.apps.readNamespacedDaemonSet({ namespace: KUBE_SYSTEM, name: CILIUM }), null),
    readable(kube.apps.readNamespacedDeployment({ namespace: KUBE_SYSTEM, name: CILIUM_OPERATOR }), null),
    readable(kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: 'cilium-config' }), null),
    readable(kube.core.readNamespacedConfigMap({ namespace: KUBE_SYSTEM, name: CNI_LEDGER }), null),
    readable(
      allPages((page) => kube.core.listNamespacedSecret({ namespace: KUBE_SYSTEM, labelSelector: `owner=helm,name=${CILIUM_RELEASE}`, ...page })),
      [],
    ),
  ]);
  const release = newestRelease(secrets, ledger !== null);
  if (agent === null && release === null) return null;
  const data = config?.data;
  return {
    release,
    agentsDesired: agent?.status?.desiredNumberScheduled ?? 0,
    agentsReady: agent?.status?.numberReady ?? 0,
    operatorReady: operator?.status?.readyReplicas ?? 0,
    config:
      data === undefined
        ? null
        : {
            masquerade: flag(data['enable-ipv4-masquerade']),
            ...(data['egress-masquerade-interfaces'] === undefined ? {} : { masqueradeInterfaces: data['egress-masquerade-interfaces'] }),
            prefixDelegation: flag(data['aws-enable-prefix-delegation']),
            chainingMode: data['cni-chaining-mode'] ?? 'none',
            policyMode: data['enable-policy'] ?? 'default',
          },
  };
}

function flag(text: string | undefined): boolean | null {
  return text === 'true' ? true : text === 'false' ? false : null;
}

/**
 * Ours by Helm's description; while Helm works or after it failed its own words stand there, and then the ledger tells, which is
 * written before Helm first runs.
 */
export function newestRelease(secrets: readonly V1Secret[], ledger: boolean): ObservedRelease | null {
  const revisions = secrets
    .map((secret) => ({ secret, revision: Number(secret.metadata?.labels?.['version'] ?? 0), status: secret.metadata?.labels?.['status'] ?? 'unknown' }))
    .sort((a, b) => b.revision - a.revision);
  const [newest] = revisions;
  // `helm uninstall --keep-history`: only the memory of one.
  if (newest === undefined || newest.status === 'uninstalled') return null;
  const { chartVersion, description } = decoded(newest.secret);
  const unfinished = newest.status !== 'deployed' && newest.status !== 'superseded';
  return { chartVersion, revision: newest.revision, status: newest.status, ours: description.startsWith(OURS) || (unfinished && ledger) };
}

/** Helm 3 and 4 keep a revision as gzipped JSON in base64, in a Secret (so in base64 once more). */
function decoded(secret: V1Secret): { chartVersion: string; description: string } {
  try {
    const text = Buffer.from(secret.data?.['release'] ?? '', 'base64').toString('utf8');
    const release = JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString('utf8')) as {
      info?: { description?: string };
      chart?: { metadata?: { version?: string } };
    };
    return { chartVersion: release.chart?.metadata?.version ?? '', description: release.info?.description ?? '' };
  } catch {
    return { chartVersion: '', description: '' };
  }
}
