import { NativeConnection } from '@temporalio/worker';
import { failureInterceptors } from '../../../activities/failures.js';
import { createLogger } from '../../../worker/log.js';
import { installRuntime } from '../../../worker/runtime.js';
import { createWorker } from '../../../worker/worker.js';
import { SimulatedCluster } from '../simulatedCluster.js';

/** A worker of its own process, so that its memory is a worker's: `worker.ts ADDRESS QUEUE BUNDLE NODES STEP_MS`. Ends with its parent. */
const [address = '', taskQueue = '', codePath = '', nodes = '0', stepMs = '0'] = process.argv.slice(2);
installRuntime({ log: createLogger(), signals: false });
const cluster = new SimulatedCluster(Number(nodes), Number(stepMs));
const connection = await NativeConnection.connect({ address });
const worker = await createWorker({
  connection,
  namespace: 'default',
  taskQueue,
  activities: cluster.activities(),
  bundle: { codePath },
  interceptors: { activity: [failureInterceptors()] },
});
process.on('message', () => process.send?.({ refreshed: cluster.refreshed, widest: cluster.widest, violations: cluster.violations, filed: [...cluster.pages.values()].flat().length, cpuSeconds: (process.cpuUsage().user + process.cpuUsage().system) / 1e6 }));
process.on('disconnect', () => worker.shutdown());
process.send?.('ready');
await worker.run();
await connection.close();
