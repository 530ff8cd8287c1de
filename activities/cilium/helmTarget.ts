import { asyncLocalStorage } from '@temporalio/activity';
import { KUBE_SYSTEM } from '../../domain/names.js';
import { isNotFound } from '../clients/errors.js';
import { withKubeconfigFile } from '../clients/index.js';
import type { Clients } from '../clients/index.js';
import type { HelmTarget } from '../helm/release.js';
import { readCniLedger, recordHelmAttempt } from '../kubernetes/cniLedger.js';

/** Runs `use` with what helm needs of this cluster; its attempts are kept in the CNI ledger. */
export async function withHelmTarget<T>(clients: Clients, use: (target: HelmTarget) => Promise<T>): Promise<T> {
  const { helm } = await readCniLedger(clients);
  return withKubeconfigFile(clients, (kubeconfig) =>
    use({
      kubeconfig,
      lastAttempt: helm,
      onAttempt: (attempt) => recordHelmAttempt(clients, attempt),
      signal: asyncLocalStorage.getStore()?.cancellationSignal,
      secrets: {
        async listReleaseSecrets() {
          const { items } = await clients.kube.core.listNamespacedSecret({ namespace: KUBE_SYSTEM, labelSelector: 'owner=helm,name=cilium' });
          return items.map(({ metadata }) => ({ name: metadata?.name ?? '', labels: metadata?.labels ?? {} }));
        },
        async deleteSecret(name) {
          try {
            await clients.kube.core.deleteNamespacedSecret({ namespace: KUBE_SYSTEM, name });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        },
      },
    }),
  );
}
