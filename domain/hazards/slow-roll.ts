import type { Hazard } from '../findings.js';
import { takesAtOnce } from '../kubernetes/rollingUpdate.js';
import type { IntOrPercent } from '../kubernetes/rollingUpdate.js';
import { CILIUM, CILIUM_ENVOY } from '../names.js';
import { inScope } from '../plan/nodes.js';
import { finding } from './finding.js';
import { minorOf, valueAt } from './values.js';

/** What the chart has where the values say nothing, for the agents as for Envoy (values.yaml of 1.15 to 1.20). */
const OF_CHART = 2;
/** From so many rounds on a roll is worth a word: at half a minute each, 25 minutes. */
const MANY_ROUNDS = 50;

/** From this minor on Envoy is a DaemonSet of its own unless the values say otherwise; before, it is a process of the agent. */
const ENVOY_APART = 16;

/** A DaemonSet rolls a fixed number of nodes at a time: what nobody notices on ten nodes is hours on a thousand. */
export const slowRoll: Hazard = {
  id: 'slow-roll',
  title: "Cilium's agents roll a few nodes at a time",
  check({ cluster, manifest }) {
    const nodes = inScope(cluster).length;
    const { values, version } = manifest.spec.cilium;
    const envoyApart = valueAt(values, 'envoy.enabled') ?? minorOf(version) >= ENVOY_APART;
    const rolled = [{ name: CILIUM, path: 'updateStrategy' }, ...(envoyApart === true ? [{ name: CILIUM_ENVOY, path: 'envoy.updateStrategy' }] : [])];
    const slow = rolled.flatMap(({ name, path }) => {
      const asked = valueAt(values, `${path}.rollingUpdate.maxUnavailable`) as IntOrPercent | undefined;
      const atOnce = takesAtOnce('DaemonSet', { type: 'RollingUpdate', maxUnavailable: asked ?? OF_CHART }, nodes);
      const rounds = Math.ceil(nodes / atOnce);
      return rounds > MANY_ROUNDS ? [{ path, text: `DaemonSet kube-system/${name} (${nodes} nodes, ${atOnce} at a time: ${rounds} rounds)` }] : [];
    });
    if (slow.length === 0) return [];
    return [
      finding(this.id, 'info', {
        objects: slow.map(({ text }) => text),
        message: 'They restart for policy enforcement, and where nodes are replaced once more, Envoy too, at the end, without the affinity of the migration. Each round takes as long as a pod needs to restart.',
        todo: `Set ${slow.map(({ path }) => `${path}.rollingUpdate.maxUnavailable`).join(' and ')} in spec.cilium.values to what the cluster can bear, say 10%, or leave it and give it the time.`,
      }),
    ];
  },
};
