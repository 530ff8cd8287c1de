export { ClientPool } from './pool.js';
export { withKubeconfigFile } from './kubeconfigFile.js';
export { activityTemporalGateway, temporalGateway } from './temporal.js';
export type { TemporalGateway } from './temporal.js';
export type { AwsClients, Clients, KubeClients } from './types.js';
