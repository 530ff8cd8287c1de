import { readResults, writeResults } from '../../support/results.js';
import type { Contender } from './contender.js';
import { drawPeers } from './plot.js';
import type { PlotLine } from './plot.js';
import type { Run } from './run.js';
import { elapsed, row, usableText, withOlder } from './table.js';
import type { Row } from './table.js';

export const PEERS = 'bench-peers';

const ABOUT = [
  'The same move from aws-node to Cilium on the same lab, each on a fresh cluster (docs/lab.md; boot 10 s, agent 3 s, termination 3 s, 3 zones; for each 10 nodes 12 Deployments of 5 with PDB maxUnavailable 1 and 3 singletons; one StatefulSet of 3 whose pods take 12 s to end). Nodes are monitored five times a second (kube-controller-manager: every 5 s), for with that look the not-ready taint of a new node goes.',
  '',
  '- **elapsed**: from the first change that anybody made to the cluster or its groups (label, affinity, taint, size) to the moment at which every old node and instance is gone, as many nodes as before are usable, every replica is ready, and groups have their sizes and processes back. **nodes rolled**: the same without the suspended processes, which ciliate gives back last, after enforcement and the removal of aws-node; peers have neither step or do it after. **command**: from the first to the last moment of the program.',
  '- **bound**: serial 16 s a node + 6 s; surge of k: ceil(N/k) x (boot + agent + drain) + 6 s with a drain of 4 s; in brackets if the StatefulSet is met (serial: 9 s more for each of its 3 pods; surge: 12 s drains in every round). eks-rolling-update is measured against everything at once.',
  '- **busy**: how long of that the cluster itself was at work: a pod was terminating, an instance booting or an agent starting, whatever the drains met. The rest is what the contender added, labels and Helm at the start included.',
  '- **disruptions per replica**: pods of workloads that were evicted or deleted, by replicas. **PDB violations**: how often ready pods fell below what a budget demands. **unavailable replica-seconds**: integral of wanted minus ready replicas. **usable**: Ready, not cordoned, no NoSchedule or NoExecute taint.',
  '- Seen by watches past the fault front, not by any contender; **calls** are the requests at the front, watches and Helm included.',
  '- eks-rolling-update waits 90 s and 20 s between its looks by default; here 1 s, or these waits would be all that is measured. Instances are terminated without decrement by the article, or its group would shrink to nothing. Both need a shim for `kubectl drain --delete-local-data`.',
  "- **killed and run again**: SIGKILL just before the fourth TerminateInstanceInAutoScalingGroup (peers have deleted the Node by then), then the same command again; the article's goes on with its nodes.",
];

/** Writes the table, the JSON and the plot of what was run, beside what was measured before of others: the whole takes longer than most have. */
export function publish(runs: { run: Run; contender: Contender }[], left: string[]): void {
  if (runs.length === 0) return;
  const before = readResults(PEERS);
  const rows: Row[] = runs.map(({ run, contender }) => ({ ...row(run, contender.bound(run.nodes)), measured: run.at.slice(0, 10) }));
  const lines: PlotLine[] = runs
    .filter(({ run }) => !run.killed)
    .map(({ run, contender }) => ({ contender: run.contender, nodes: run.nodes, elapsed: elapsed(run) ?? null, bound: contender.bound(run.nodes).ordinary, usable: usableText(run) }));
  const all = withOlder(lines, (before?.lines ?? []) as PlotLine[]);
  writeResults(PEERS, { title: 'Node rollers compared', about: [...ABOUT, ...left.map((word) => `- ${word}.`)], plot: `${PEERS}.svg`, rows: withOlder(rows, before?.rows ?? []), lines: all });
  drawPeers(all);
}
