import { readFile, stat } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import type { ClusterRef } from '../../domain/spec/schema.js';
import { awsClients, awsSettings } from './aws.js';
import { EksToken, eksKubeConfig } from './eks.js';
import { sharedConfigFiles } from './endpoints.js';
import { kubeClients } from './kube.js';
import { ClusterEvents } from './events.js';
import type { Clients, KubeClients } from './types.js';

interface Entry {
  clients: Promise<Clients>;
  /** Modification times of the files that they were built from: kubeconfig, and the AWS files where a profile is named. */
  files: string;
}

/**
 * Clients of many clusters, accounts and roles in one worker process; nothing is process-wide. One is enough, and each
 * reference is built once: until one of its files changes, or the API server says 401.
 */
export class ClientPool {
  private readonly entries = new Map<string, Entry>();

  /** Clients of the cluster that `ref` names. Rejects with a CiliateError or with an error of the AWS SDK. */
  async for(ref: ClusterRef): Promise<Clients> {
    const key = canonical(ref);
    const files = await modified(ref);
    const known = this.entries.get(key);
    if (known !== undefined && known.files === files) return known.clients;
    const entry: Entry = { files, clients: this.build(ref, key) };
    this.entries.set(key, entry);
    // A failure is not kept: the next call tries again.
    entry.clients.catch(() => this.forget(key, entry));
    return entry.clients;
  }

  /** The worker stops: whoever lingers on events of a cluster (activities/linger.ts) ends its attempt. */
  close(): void {
    for (const { clients } of this.entries.values()) void clients.then(({ events }) => events.close(), () => undefined);
  }

  private forget(key: string, entry?: Entry): void {
    if (entry === undefined || this.entries.get(key) === entry) this.entries.delete(key);
  }

  private async build(ref: ClusterRef, key: string): Promise<Clients> {
    const settings = awsSettings(ref);
    const aws = await awsClients(settings);
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
  return { kube, ...rest, events: new ClusterEvents(kube), memberships: new Map() };
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

async function modified(ref: ClusterRef): Promise<string> {
  const named = (ref.eks ?? ref.aws)?.profile !== undefined;
  const times = await Promise.all([kubeconfigTime(ref.kubeconfig), ...(named ? sharedConfigFiles() : []).map(sharedTime)]);
  return times.join(' ');
}

async function kubeconfigTime(path: string | undefined): Promise<number> {
  if (path === undefined) return 0;
  try {
    return (await stat(path)).mtimeMs;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** 0 where there is none: a profile may be in either file, and what is missing the credentials say by themselves. */
async function sharedTime(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.mtimeMs ?? 0;
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
