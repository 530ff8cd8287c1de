import { limitSaid, limitsOf, limitText } from '../chain/limits.js';
import type { Hazard } from '../findings.js';
import { finding } from './finding.js';

export const chainLimits: Hazard = {
  id: 'chain-limits',
  title: 'Chained on the VPC CNI Cilium cannot do everything',
  strategies: ['chain'],
  check({ cluster, manifest }) {
    const { acceptLimits } = manifest.spec.chain;
    const limits = limitsOf(cluster);
    const open = acceptLimits === undefined ? [] : limits.filter((limit) => !acceptLimits.includes(limit));
    if (open.length > 0) {
      return [
        finding(this.id, 'blocker', {
          objects: open,
          message: `These limits hold for this cluster and spec.chain.acceptLimits does not name them. ${open.map((id) => limitText(limitSaid(id))).join('. ')}.`,
          todo: `Add ${open.join(', ')} to spec.chain.acceptLimits, remove acceptLimits to be asked at the gate accept-limits, or use strategy: replace.`,
        }),
      ];
    }
    return [
      finding(this.id, 'info', {
        objects: limits,
        message: `${limits.map((id) => limitText(limitSaid(id))).join('. ')}.`,
        todo: acceptLimits === undefined ? 'The gate accept-limits asks for them before the first write.' : 'They are accepted in spec.chain.acceptLimits.',
      }),
    ];
  },
};
