import { CoreV1Api, CustomObjectsApi } from '@kubernetes/client-node';
import { expect } from 'vitest';
import { realChart } from './field.js';
import type { Field } from './field.js';

/** The lab's stand-in chart knows ENI mode only. */
export const CHART_IS_THERE = realChart('1.20.0') !== undefined;
if (!CHART_IS_THERE) console.log('no real chart beside the checkout: strategies are not tested in the lab');

export async function providerIds(field: Field): Promise<string[]> {
  return (await field.kube.makeApiClient(CoreV1Api).listNode()).items.map(({ spec }) => spec?.providerID ?? '').sort();
}

/** Running pods on the pod network that Cilium does not know. */
export async function unknownPods(field: Field): Promise<string[]> {
  const [pods, endpoints] = await Promise.all([
    field.kube.makeApiClient(CoreV1Api).listPodForAllNamespaces(),
    field.kube.makeApiClient(CustomObjectsApi).listClusterCustomObject({ group: 'cilium.io', version: 'v2', plural: 'ciliumendpoints' }) as Promise<{ items: { metadata: { namespace: string; name: string } }[] }>,
  ]);
  const known = new Set(endpoints.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  const own = pods.items.filter(({ spec, status }) => spec?.hostNetwork !== true && status?.phase === 'Running');
  expect(own.length).toBeGreaterThan(0);
  return own.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`).filter((name) => !known.has(name));
}

export async function policyMode(field: Field): Promise<string | undefined> {
  return (await field.kube.makeApiClient(CoreV1Api).readNamespacedConfigMap({ namespace: 'kube-system', name: 'cilium-config' })).data?.['enable-policy'];
}
