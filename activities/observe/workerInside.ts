import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { KUBE_SYSTEM } from '../../domain/names.js';
import type { PodName } from '../../domain/observation.js';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const PATIENCE_MS = 5_000;

/**
 * Whether this process is a pod of the cluster whose kube-system has this UID: asked of the API server that the pod itself sees,
 * and, where that does not answer, by looking for a pod of our name. Null where neither can tell.
 */
export async function workerInside(uid: string, pods: readonly PodName[]): Promise<boolean | null> {
  if ((process.env['KUBERNETES_SERVICE_HOST'] ?? '') === '') return false;
  const own = await ownClusterUid();
  if (own !== null) return own === uid;
  const name = process.env['POD_NAME'] ?? hostname();
  const namespace = process.env['POD_NAMESPACE'] ?? (await readFile(`${SERVICE_ACCOUNT}/namespace`, 'utf8').catch(() => undefined))?.trim();
  const here = pods.some((pod) => pod.name === name && (namespace === undefined || pod.namespace === namespace));
  return here ? true : null;
}

async function ownClusterUid(): Promise<string | null> {
  try {
    const config = new KubeConfig();
    config.loadFromCluster();
    const read = config.makeApiClient(CoreV1Api).readNamespace({ name: KUBE_SYSTEM });
    const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), PATIENCE_MS).unref());
    return (await Promise.race([read, late])).metadata?.uid ?? null;
  } catch {
    return null;
  }
}
