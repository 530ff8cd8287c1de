/** EKS speaks REST: the action is in method and path. Longest paths first. */
const actions: [method: string, path: RegExp, action: string][] = [
  ['GET', /^\/addons\/supported-versions$/, 'DescribeAddonVersions'],
  ['GET', /^\/addons\/configuration-schemas$/, 'DescribeAddonConfiguration'],
  ['POST', /^\/clusters\/[^/]+\/addons\/[^/]+\/update$/, 'UpdateAddon'],
  ['GET', /^\/clusters\/[^/]+\/addons\/[^/]+$/, 'DescribeAddon'],
  ['DELETE', /^\/clusters\/[^/]+\/addons\/[^/]+$/, 'DeleteAddon'],
  ['GET', /^\/clusters\/[^/]+\/addons$/, 'ListAddons'],
  ['POST', /^\/clusters\/[^/]+\/addons$/, 'CreateAddon'],
  ['GET', /^\/clusters\/[^/]+\/updates\/[^/]+$/, 'DescribeUpdate'],
  ['GET', /^\/clusters\/[^/]+\/updates$/, 'ListUpdates'],
  ['POST', /^\/clusters\/[^/]+\/node-groups\/[^/]+\/update-config$/, 'UpdateNodegroupConfig'],
  ['POST', /^\/clusters\/[^/]+\/node-groups\/[^/]+\/update-version$/, 'UpdateNodegroupVersion'],
  ['GET', /^\/clusters\/[^/]+\/node-groups\/[^/]+$/, 'DescribeNodegroup'],
  ['DELETE', /^\/clusters\/[^/]+\/node-groups\/[^/]+$/, 'DeleteNodegroup'],
  ['GET', /^\/clusters\/[^/]+\/node-groups$/, 'ListNodegroups'],
  ['POST', /^\/clusters\/[^/]+\/node-groups$/, 'CreateNodegroup'],
  ['GET', /^\/clusters\/[^/]+\/pod-identity-associations\/[^/]+$/, 'DescribePodIdentityAssociation'],
  ['DELETE', /^\/clusters\/[^/]+\/pod-identity-associations\/[^/]+$/, 'DeletePodIdentityAssociation'],
  ['GET', /^\/clusters\/[^/]+\/pod-identity-associations$/, 'ListPodIdentityAssociations'],
  ['POST', /^\/clusters\/[^/]+\/pod-identity-associations$/, 'CreatePodIdentityAssociation'],
  ['POST', /^\/clusters\/[^/]+\/update-config$/, 'UpdateClusterConfig'],
  ['GET', /^\/clusters\/[^/]+$/, 'DescribeCluster'],
  ['GET', /^\/clusters$/, 'ListClusters'],
  ['POST', /^\/tags\//, 'TagResource'],
  ['DELETE', /^\/tags\//, 'UntagResource'],
  ['GET', /^\/tags\//, 'ListTagsForResource'],
];

/** The name of the EKS action of a request, or `METHOD path` for one that is not known. */
export function eksAction(method: string, path: string): string {
  return actions.find(([verb, pattern]) => verb === method && pattern.test(path))?.[2] ?? `${method} ${path}`;
}
