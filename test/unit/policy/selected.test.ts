import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { selectedPods } from '../../../activities/policy/selected.js';
import type { CiliumNetworkPolicy } from '../../../domain/spec/policy.js';

const policy = (name: string, spec: object) => ({ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { namespace: 'shop', name }, spec }) as unknown as CiliumNetworkPolicy;
const own = policy('own', { endpointSelector: { matchLabels: { app: 'cart' } }, egress: [{}] });

/** The namespace shop, with two pods of an app. */
function shop(policies: CiliumNetworkPolicy[]): Clients {
  const pod = (name: string) => ({ metadata: { namespace: 'shop', name, labels: { app: 'cart' } }, spec: { containers: [] } });
  const listed: Record<string, object[]> = { ciliumnetworkpolicies: policies, ciliumendpoints: [{ metadata: { namespace: 'shop', name: 'cart-0' } }] };
  const kube = {
    core: { listNamespacedPod: () => Promise.resolve({ items: [pod('cart-0'), pod('cart-1')] }) },
    make: () => ({ listNamespacedNetworkPolicy: () => Promise.resolve({ items: [] }) }),
    custom: { listNamespacedCustomObject: ({ plural }: { plural: string }) => Promise.resolve({ items: listed[plural] ?? [] }) },
  };
  return { kube } as unknown as Clients;
}

describe('the pods that a policy selects', () => {
  it('are restricted by what other policies say of them, not by this one, and not by those of other pods', async () => {
    const others = [policy('ingress', { endpointSelector: { matchLabels: { app: 'cart' } }, ingress: [{}] }), policy('elsewhere', { endpointSelector: { matchLabels: { app: 'web' } }, ingress: [{}], egress: [{}] })];
    expect(await selectedPods(shop([own, ...others]), own)).toEqual({ pods: 2, ingressDeniedBy: ['CiliumNetworkPolicy shop/ingress'], egressDeniedBy: [], unmanaged: ['cart-1'] });
    expect(await selectedPods(shop([own]), own)).toMatchObject({ ingressDeniedBy: [], egressDeniedBy: [] });
  });
});
