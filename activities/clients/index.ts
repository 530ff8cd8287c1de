export { ClientPool } from './pool.js';
export { withKubeconfigFile } from './kubeconfigFile.js';
export type { AwsClients, Clients, KubeClients } from './types.js';
