export { migrateCluster } from './migrateCluster.js';
export { rollbackCluster } from './rollbackCluster.js';
export { refreshNode } from './refreshNode.js';
export { readNodePage } from './readNodePage.js';
export { runFleet } from './runFleet.js';
export { crossClusterPolicy } from './crossClusterPolicy.js';
export { connectMesh } from './connectMesh.js';
