import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clients } from './types.js';

/**
 * Runs `fn` with the path of a kubeconfig for programs that want a file (helm): mode 0600 in a folder of its own, the
 * token inlined for EKS references, removed afterwards whatever happens.
 */
export async function withKubeconfigFile<T>(clients: Clients, fn: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'ciliate-kube-'));
  try {
    const path = join(folder, 'config');
    await writeFile(path, await kubeconfigText(clients), { mode: 0o600 });
    return await fn(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function kubeconfigText(clients: Clients): Promise<string> {
  const { config } = clients.kube;
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const name = config.getCurrentContext();
  const token = clients.ref.eks === undefined ? undefined : await bearer(clients);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: defined({
          server: cluster?.server,
          'certificate-authority-data': cluster?.caData,
          'certificate-authority': cluster?.caFile,
          'insecure-skip-tls-verify': cluster?.skipTLSVerify === true ? true : undefined,
          'tls-server-name': cluster?.tlsServerName,
          'proxy-url': cluster?.proxyUrl,
        }),
      },
    ],
    users: [
      {
        name,
        user:
          token !== undefined
            ? { token }
            : defined({
                'client-certificate-data': user?.certData,
                'client-certificate': user?.certFile,
                'client-key-data': user?.keyData,
                'client-key': user?.keyFile,
                token: user?.token,
                username: user?.username,
                password: user?.password,
                as: user?.impersonateUser,
                exec: user?.exec,
                'auth-provider': user?.authProvider,
              }),
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

async function bearer(clients: Clients): Promise<string | undefined> {
  const options: { headers?: Record<string, string> } = {};
  await clients.kube.config.applyToHTTPSOptions(options);
  return options.headers?.['Authorization']?.replace(/^Bearer /, '');
}

function defined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined && value !== null));
}
