import type { Hazard } from '../findings.js';
import { awsNodesRemain } from '../plan/mode.js';
import { finding } from './finding.js';
import { REPLACES_NODES } from './strategies.js';
import { isSet, minorOf } from './values.js';

const NODE_SPEC = ['subnetTags', 'subnetIDs', 'securityGroups', 'securityGroupTags'].map((key) => `eni.nodeSpec.${key}`);
const ANY_VERSION = ['eni.subnetIDsFilter', 'eni.subnetTagsFilter', 'cni.customConf', 'cni.configMap'];

/** ENIConfigs are the VPC CNI's own; Cilium knows nothing of them and would put pods into the subnets of the nodes. */
export const customNetworking: Hazard = {
  id: 'custom-networking',
  title: 'Custom networking (ENIConfig) is not expressed in the values',
  strategies: REPLACES_NODES,
  check({ cluster, manifest }) {
    const on = cluster.awsNode?.env['AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG']?.toLowerCase() === 'true';
    if (!on || !awsNodesRemain(cluster)) return [];
    const { values, version } = manifest.spec.cilium;
    const keys = minorOf(version) >= 19 ? [...NODE_SPEC, ...ANY_VERSION] : ANY_VERSION;
    if (keys.some((key) => isSet(values, key))) return [];
    return [
      finding(this.id, 'blocker', {
        objects: cluster.eniConfigs.map((name) => `ENIConfig ${name}`),
        message: "aws-node puts pods into other subnets and security groups than the nodes'. Cilium would use the nodes' own: wrong firewall rules, and perhaps too few addresses.",
        todo:
          minorOf(version) >= 19
            ? 'Say it in spec.cilium.values: eni.nodeSpec.subnetTags or subnetIDs, and eni.nodeSpec.securityGroups or securityGroupTags.'
            : 'Say it in spec.cilium.values: eni.subnetTagsFilter or subnetIDsFilter, or a custom CNI ConfigMap (cni.customConf, cni.configMap).',
      }),
    ];
  },
};
