export { migrateCluster } from './migrateCluster.js';
export { refreshNode } from './refreshNode.js';
export { crossClusterPolicy } from './crossClusterPolicy.js';
export { connectMesh } from './connectMesh.js';
export { readNodePage } from './readNodePage.js';
