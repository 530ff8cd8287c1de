import { AppsV1Api } from '@kubernetes/client-node';
import type { KubeConfig } from '@kubernetes/client-node';

/** One replica for each node of Karpenter's, and nowhere else: without a new node it stays pending. */
export async function pinToKarpenter(kube: KubeConfig, replicas: number): Promise<void> {
  const labels = { app: 'pinned' };
  await kube.makeApiClient(AppsV1Api).createNamespacedDeployment({
    namespace: 'shop',
    body: {
      metadata: { name: 'pinned' },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            nodeSelector: { 'karpenter.sh/nodepool': 'default' },
            affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } }] } },
            containers: [{ name: 'pinned', image: 'example.invalid/pinned:1' }],
          },
        },
      },
    },
  });
}
