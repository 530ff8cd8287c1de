import type { ObservedCluster } from '../../domain/observation.js';
import type { KubeClients } from '../clients/index.js';
import { bounded } from './lists.js';
import type { Access } from './permissions.js';

type Denied = ObservedCluster['deniedAccess'][number];

/** Asks the API server for every verb that will be used, one review each. Only what is denied is returned. */
export async function deniedAccess(kube: KubeClients, access: readonly Access[]): Promise<Denied[]> {
  const asked = access.flatMap(({ verbs, ...rest }) => verbs.map((verb) => ({ verb, ...rest })));
  const answers = await bounded(asked, 8, async ({ verb, group, resource: path, namespace }): Promise<Denied[]> => {
    const [resource, subresource] = path.split('/');
    const { status } = await kube.authorization.createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb, group, resource, subresource, namespace } } },
    });
    if (status?.allowed === true) return [];
    const full = group === '' ? path : `${path}.${group}`;
    return [{ verb, resource: full, ...(namespace === undefined ? {} : { namespace }), ...(status?.reason ? { reason: status.reason } : {}) }];
  });
  return answers.flat();
}
