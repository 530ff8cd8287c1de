import type { Hazard } from '../findings.js';
import { finding } from './finding.js';
import { CONFINES } from './strategies.js';

const PRESERVE = 'aws eks delete-addon --cluster-name CLUSTER --addon-name vpc-cni --preserve';

export const addonWithoutAffinity: Hazard = {
  id: 'addon-without-affinity',
  title: 'This version of the add-on takes no affinity',
  strategies: CONFINES,
  check({ cluster }) {
    const addon = cluster.awsNode?.addon;
    if (addon === undefined || addon.schemaHasAffinity !== false || cluster.awsNode?.restricted === true) return [];
    return [
      finding(this.id, 'blocker', {
        objects: [`Add-on vpc-cni ${addon.version}`],
        message: 'Its configuration schema has no affinity, so aws-node could only be patched behind its back, and the next update of the add-on would undo that.',
        todo: `Update the add-on to v1.18 or later, or hand aws-node back to you (nothing restarts): ${PRESERVE}`,
      }),
    ];
  },
};

export const addonSchemaUnknown: Hazard = {
  id: 'addon-schema-unknown',
  title: 'Whether the add-on takes an affinity is not known',
  strategies: CONFINES,
  check({ cluster }) {
    const addon = cluster.awsNode?.addon;
    if (addon === undefined || addon.schemaHasAffinity !== null || cluster.awsNode?.restricted === true) return [];
    return [
      finding(this.id, 'warning', {
        objects: [`Add-on vpc-cni ${addon.version}`],
        message: 'eks:DescribeAddonConfiguration did not answer. Where the schema has no affinity, the migration stops at the step "restrict", after the labels.',
        todo: `Allow eks:DescribeAddonConfiguration, or hand aws-node back to you first: ${PRESERVE}`,
      }),
    ];
  },
};
