import { ApiException } from '@kubernetes/client-node';
import type { V1Pod, V1PodDisruptionBudget } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Clients } from '../../../activities/clients/index.js';
import { CONNECTIONS } from '../../../activities/clients/types.js';
import { deletePod, evict } from '../../../activities/kubernetes/evict.js';

const cart: V1Pod = { metadata: { namespace: 'shop', name: 'cart-0', uid: 'mine', labels: { app: 'cart' }, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'cart', uid: 's', controller: true }] } };

interface Answer {
  code: number;
  reason?: string;
  message: string;
  details?: object;
}

const missing = () => Promise.reject(new ApiException(404, '', {}, {}));

/** An API server that gives this answer to an eviction. `there`: the pod of that name as it is afterwards. */
function clients({ code, ...body }: Answer, { there, budgets = [] }: { there?: V1Pod; budgets?: V1PodDisruptionBudget[] } = {}): Clients {
  const core = {
    createNamespacedPodEviction: () => Promise.reject(new ApiException(code, '', JSON.stringify({ kind: 'Status', code, ...body }), {})),
    readNamespacedPod: () => (there === undefined ? missing() : Promise.resolve(there)),
  };
  const policy = {
    listNamespacedPodDisruptionBudget: () => Promise.resolve({ items: budgets }),
    readNamespacedPodDisruptionBudget: ({ name }: { name: string }) => {
      const found = budgets.find(({ metadata }) => metadata?.name === name);
      return found === undefined ? missing() : Promise.resolve(found);
    },
  };
  return { kube: { core, policy } } as unknown as Clients;
}

const budget = (name: string, app = 'cart'): V1PodDisruptionBudget => ({ metadata: { namespace: 'shop', name }, spec: { selector: { matchLabels: { app } } }, status: { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 } });
const because = (message: string): object => ({ causes: [{ reason: 'DisruptionBudget', message }] });

it('evictions of many nodes at once leave connections to others', async () => {
  let [now, most] = [0, 0];
  const createNamespacedPodEviction = async (): Promise<void> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now--;
  };
  const busy = { kube: { core: { createNamespacedPodEviction } } } as unknown as Clients;
  const results = await Promise.all(Array.from({ length: 250 }, () => evict(busy, cart)));
  expect(results.every(({ result }) => result === 'evicted')).toBe(true);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(CONNECTIONS / 2);
});

describe('an eviction that is refused', () => {
  const drainCleaner = 'admission webhook "drain-cleaner.strimzi.io" denied the request: The pod will be rolled by the Strimzi Cluster Operator';
  it.each<[string, Answer]>([
    ['by a webhook, forbidden', { code: 403, reason: 'Forbidden', message: 'admission webhook "validate.kyverno.svc-fail" denied the request: no evictions on weekdays' }],
    ['by a webhook, as a bad request', { code: 400, message: drainCleaner }],
    ['by a webhook, as an error of the server', { code: 500, reason: 'InternalError', message: drainCleaner }],
    ['by a webhook, to be tried again', { code: 429, reason: 'TooManyRequests', message: 'admission webhook "virt-launcher-eviction-interceptor.kubevirt.io" denied the request: Eviction triggered evacuation of VMI' }],
    ['by a webhook, as not found', { code: 404, reason: 'NotFound', message: 'admission webhook "x" denied the request: no such tenant' }],
    ['since a webhook does not answer', { code: 500, reason: 'InternalError', message: 'Internal error occurred: failed calling webhook "validate.opa": failed to call webhook: Post "https://opa.opa.svc:443/": context deadline exceeded' }],
    ['by a policy of the API server', { code: 422, reason: 'Invalid', message: "pods \"cart-0\" is invalid: ValidatingAdmissionPolicy 'keep' with binding 'keep' denied request: not now" }],
    ['by an admission plugin', { code: 403, reason: 'Forbidden', message: 'pods "cart-0" is forbidden: plugin says no' }],
    ['by a budget that is out of step', { code: 403, reason: 'Forbidden', message: 'poddisruptionbudgets.policy "cart" is forbidden: pdb disruptions allowed is negative' }],
    ['since a budget was changed too often', { code: 504, reason: 'Timeout', message: "Timeout: couldn't update PodDisruptionBudget \"cart\" due to conflicts" }],
  ])('%s is that pod\'s matter, in the server\'s words', async (_name, answer) => {
    expect(await evict(clients(answer), cart)).toMatchObject({ result: 'blocked', cause: 'refused', owner: 'StatefulSet cart', blocker: { object: 'Pod shop/cart-0', reason: answer.message, todo: expect.stringMatching(/tried again/) as string } });
  });

  it.each<[string, Answer]>([
    ['missing rights', { code: 403, reason: 'Forbidden', message: 'pods "cart-0" is forbidden: User "arn:aws:sts::1:assumed-role/x" cannot create resource "pods/eviction" in API group "" in the namespace "shop"' }],
    ['a proxy that says no', { code: 403, message: '<html>403 Forbidden</html>' }],
    ['an outage', { code: 500, reason: 'InternalError', message: 'Internal error occurred: etcdserver: leader changed' }],
    ['an API server that is going', { code: 503, reason: 'ServiceUnavailable', message: 'apiserver is shutting down' }],
    ['an API server that has too much to do', { code: 429, message: 'Too many requests, please try again later.' }],
  ])('%s is the run\'s matter', async (_name, answer) => {
    await expect(evict(clients(answer), cart)).rejects.toMatchObject({ code: answer.code });
  });

  it('with its namespace goes with it', async () => {
    const answer = { code: 403, reason: 'Forbidden', message: 'cannot evict', details: { causes: [{ reason: 'NamespaceTerminating', message: 'x' }] } };
    expect(await evict(clients(answer), cart)).toMatchObject({ result: 'blocked', blocker: { reason: 'namespace shop is being deleted' } });
  });

  it('by its budget names what that needs; by one whose pods cannot be counted, why', async () => {
    const answer = (message: string): Answer => ({ code: 429, reason: 'TooManyRequests', message: "Cannot evict pod as it would violate the pod's disruption budget.", details: because(message) });
    expect(await evict(clients(answer('The disruption budget cart needs 1 healthy pods and has 1 currently'), { budgets: [budget('cart')] }), cart)).toMatchObject({ result: 'blocked', cause: 'budget', budget: 'shop/cart', blocker: { reason: 'PDB shop/cart needs 1 healthy, has 1 (owner StatefulSet cart)', firm: true } });
    const failed = { ...budget('cart'), status: { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0, conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'no controller', lastTransitionTime: new Date(0) }] } };
    const message = 'The disruption budget cart does not allow evicting pods currently because it failed sync: no controller';
    expect(await evict(clients(answer(message), { budgets: [failed] }), cart)).toMatchObject({ result: 'blocked', cause: 'budget', budget: 'shop/cart', blocker: { reason: 'PDB shop/cart cannot be counted: SyncFailed: no controller (owner StatefulSet cart)' } });
  });

  it('since two budgets match it names both, and a person', async () => {
    const answer = { code: 500, reason: 'InternalError', message: 'Internal error occurred: This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.' };
    expect(await evict(clients(answer, { budgets: [budget('a'), budget('other', 'other'), budget('b')] }), cart)).toMatchObject({
      result: 'blocked',
      cause: 'budget',
      budget: 'shop/a, shop/b',
      blocker: { reason: 'more than one PodDisruptionBudget matches it (a, b), which the Eviction API refuses', firm: true },
    });
  });
});

describe('a conflict', () => {
  const answer = { code: 409, reason: 'Conflict', message: 'Operation cannot be fulfilled on poddisruptionbudgets.policy "cart": the object has been modified' };
  const other = { metadata: { ...cart.metadata, uid: 'another' } };

  it('about the budget leaves the pod where it is: it is not gone', async () => {
    expect(await evict(clients(answer, { there: cart }), cart)).toMatchObject({ result: 'blocked', cause: 'refused', blocker: { reason: expect.stringContaining('has been modified') as string } });
  });

  it('of one that leaves already is no refusal', async () => {
    expect(await evict(clients(answer, { there: { metadata: { ...cart.metadata, deletionTimestamp: new Date() } } }), cart)).toEqual({ result: 'evicted' });
  });

  it.each([['another pod has its name', other], ['no pod has its name', undefined]])('is its end where %s', async (_name, there) => {
    expect(await evict(clients(answer, { there }), cart)).toEqual({ result: 'gone' });
  });
});

describe('a pod of the same name that lives elsewhere', () => {
  /** Ends a pod only where the precondition fits, as the API server does. */
  function server(): { clients: Clients; pods: V1Pod[] } {
    const pods: V1Pod[] = [{ metadata: { namespace: 'shop', name: 'cart-0', uid: 'another' }, spec: { containers: [], nodeName: 'ip-2' } }];
    const end = (name: string, uid: string | undefined) => {
      const found = pods.find(({ metadata }) => metadata?.name === name);
      if (found === undefined) return missing();
      if (uid !== undefined && found.metadata?.uid !== uid) return Promise.reject(new ApiException(409, '', { reason: 'Conflict', message: 'the UID in the precondition' }, {}));
      pods.splice(pods.indexOf(found), 1);
      return Promise.resolve({});
    };
    const core = {
      createNamespacedPodEviction: ({ name, body }: { name: string; body: { deleteOptions?: { preconditions?: { uid?: string } } } }) => end(name, body.deleteOptions?.preconditions?.uid),
      deleteNamespacedPod: ({ name, body }: { name: string; body?: { preconditions?: { uid?: string } } }) => end(name, body?.preconditions?.uid),
      readNamespacedPod: ({ name }: { name: string }) => {
        const found = pods.find(({ metadata }) => metadata?.name === name);
        return found === undefined ? missing() : Promise.resolve(found);
      },
    };
    return { clients: { kube: { core } } as unknown as Clients, pods };
  }

  it('is neither evicted nor deleted', async () => {
    const { clients: at, pods } = server();
    expect(await evict(at, cart)).toEqual({ result: 'gone' });
    await deletePod(at, cart);
    expect(pods).toHaveLength(1);
  });
});
