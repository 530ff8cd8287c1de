export { migrateCluster } from './migrateCluster.js';
export { refreshNode } from './refreshNode.js';
export { runFleet } from './runFleet.js';
