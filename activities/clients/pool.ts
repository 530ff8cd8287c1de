import { readFile, stat } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import type { ClusterRef } from '../../domain/spec/schema.js';
import { awsClients, awsSettings } from './aws.js';
import { EksToken, eksKubeConfig } from './eks.js';
import { kubeClients } from './kube.js';
import { ClusterEvents } from './events.js';
import type { Clients, KubeClients } from './types.js';

interface Entry {
  clients: Promise<Clients>;
  /** Modification time of the kubeconfig that they were built from; 0 for EKS references. */
  mtimeMs: number;
}

/**
 * Clients of many clusters, accounts and roles in one worker process; nothing is process-wide. One is enough, and each
 * reference is built once: until its kubeconfig file changes, or the API server says 401.
 */
export class ClientPool {
  private readonly entries = new Map<string, Entry>();

  /** Clients of the cluster that `ref` names. Rejects with a CiliateError or with an error of the AWS SDK. */
  async for(ref: ClusterRef): Promise<Clients> {
    const key = canonical(ref);
    const mtimeMs = await modified(ref);
    const known = this.entries.get(key);
    if (known !== undefined && known.mtimeMs === mtimeMs) return known.clients;
    const entry: Entry = { mtimeMs, clients: this.build(ref, key) };
    this.entries.set(key, entry);
    // A failure is not kept: the next call tries again.
    entry.clients.catch(() => this.forget(key, entry));
    return entry.clients;
  }

  private forget(key: string, entry?: Entry): void {
    if (entry === undefined || this.entries.get(key) === entry) this.entries.delete(key);
  }

  private async build(ref: ClusterRef, key: string): Promise<Clients> {
    const settings = awsSettings(ref);
    const aws = awsClients(settings);
    if (ref.eks !== undefined) {
      const token = new EksToken(aws.sts, ref.eks.name);
      const config = await eksKubeConfig(aws.eks, ref.eks.name, token);
      // Dropped from the pool too: credentials that went stale are built anew by the next activity.
      const onUnauthorized = (): void => {
        token.forget();
        this.forget(key);
      };
      return assembled(kubeClients(config, onUnauthorized), { aws, region: settings.region, ref });
    }
    const config = await readKubeconfig(ref);
    return assembled(kubeClients(config, () => this.forget(key)), { aws, region: settings.region, ref });
  }
}

function assembled(kube: KubeClients, rest: Pick<Clients, 'aws' | 'region' | 'ref'>): Clients {
  return { kube, ...rest, events: new ClusterEvents(kube) };
}

/** One text for one reference, whatever the order of its keys. */
function canonical(ref: ClusterRef): string {
  const sorted = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, entry]) => entry !== undefined)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, entry]) => [name, sorted(entry)]),
        )
      : value;
  return JSON.stringify(sorted(ref));
}

async function modified(ref: ClusterRef): Promise<number> {
  if (ref.kubeconfig === undefined) return 0;
  try {
    return (await stat(ref.kubeconfig)).mtimeMs;
  } catch (cause) {
    throw unreadable(ref.kubeconfig, cause);
  }
}

async function readKubeconfig(ref: ClusterRef): Promise<KubeConfig> {
  const path = ref.kubeconfig ?? '';
  const config = new KubeConfig();
  try {
    await readFile(path);
    config.loadFromFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (ref.context !== undefined) config.setCurrentContext(ref.context);
  return config;
}

function unreadable(path: string, cause: unknown): CiliateError {
  return new CiliateError(
    'Permanent',
    {
      object: `kubeconfig ${path}`,
      expected: 'a readable kubeconfig on the worker',
      seen: cause instanceof Error ? cause.message : String(cause),
      todo: 'Put it where the worker can read it, or name the cluster by spec.cluster.eks.',
    },
    { code: 'KubeconfigUnreadable', cause },
  );
}
