/**
 * A worker that does one thing and can be killed: `tsx releaseWorker.ts ensure|uninstall KUBECONFIG LEDGER CHART VERSION VALUES.json`.
 * The attempt goes to the file LEDGER. Prints the result as JSON.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { ensureRelease, uninstallRelease } from '../../../activities/helm/release.js';
import type { HelmAttempt, HelmTarget } from '../../../activities/helm/release.js';
import type { HelmValues } from '../../../domain/spec/schema.js';

const [verb, kubeconfig = '', ledger = '', path = '', version = '', values = ''] = process.argv.slice(2);
const kube = new KubeConfig();
kube.loadFromFile(kubeconfig);
const api = kube.makeApiClient(CoreV1Api);

const target: HelmTarget = {
  kubeconfig,
  secrets: {
    listReleaseSecrets: async () =>
      (await api.listNamespacedSecret({ namespace: 'kube-system', labelSelector: 'owner=helm,name=cilium' })).items.map(({ metadata }) => ({
        name: metadata?.name ?? '',
        labels: metadata?.labels ?? {},
      })),
    deleteSecret: async (name) => void (await api.deleteNamespacedSecret({ name, namespace: 'kube-system' })),
  },
  lastAttempt: existsSync(ledger) ? (JSON.parse(readFileSync(ledger, 'utf8')) as HelmAttempt) : null,
  onAttempt: async (attempt) => {
    writeFileSync(`${ledger}.new`, JSON.stringify(attempt));
    renameSync(`${ledger}.new`, ledger);
  },
};

const result =
  verb === 'uninstall'
    ? await uninstallRelease(target)
    : await ensureRelease(target, { chart: { path, version }, values: JSON.parse(readFileSync(values, 'utf8')) as HelmValues, description: 'test' });
console.log(JSON.stringify(result));
