import { CiliateError } from '../../domain/failures.js';
import { isNotFound } from '../clients/errors.js';
import type { Clients } from '../clients/index.js';
import type { PolicyRequest } from './api.js';
import { sameSpec } from './inspect.js';
import { applyObject, CNP, isOurs, readPolicy } from './objects.js';

/** Applies the object where it is not there or says something else. */
export async function applyPolicy(clients: Clients, { rendered }: PolicyRequest): Promise<{ done: 'applied' | 'unchanged' }> {
  const live = await readPolicy(clients, rendered.object);
  if (live !== undefined && !isOurs(live, rendered.object)) throw foreign(rendered);
  if (live !== undefined && sameSpec(live, rendered.object)) return { done: 'unchanged' };
  await applyObject(clients, rendered.object, false);
  return { done: 'applied' };
}

/** Only what is ours, and only the very object that was looked at. */
export async function removePolicy(clients: Clients, { rendered }: PolicyRequest): Promise<{ done: 'removed' | 'nothing' }> {
  const live = await readPolicy(clients, rendered.object);
  if (live === undefined) return { done: 'nothing' };
  if (!isOurs(live, rendered.object)) throw foreign(rendered);
  const { namespace, name, uid } = live.metadata;
  try {
    await clients.kube.custom.deleteNamespacedCustomObject({ ...CNP, namespace, name, body: { preconditions: { uid } } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return { done: 'removed' };
}

function foreign({ cluster, object: { metadata } }: PolicyRequest['rendered']): CiliateError {
  return new CiliateError(
    'Permanent',
    {
      object: `CiliumNetworkPolicy ${metadata.namespace}/${metadata.name} in cluster ${cluster}`,
      expected: 'none, or one that ciliate made for this policy',
      seen: 'one without its labels',
      todo: 'It was left as it is. Give the policy another name, or remove that object yourself.',
    },
    { code: 'ForeignPolicy' },
  );
}
