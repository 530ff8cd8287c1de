/** A worker that runs a fake helm which hangs, prints when helm is about to start, and waits to be killed. */
import { runHelm } from '../../../activities/helm/run.js';

await runHelm(['upgrade', 'cilium', 'chart'], { values: {}, timeoutMs: 60_000, onSpawn: async ({ pid }) => void process.stdout.write(`${pid}\n`) });
