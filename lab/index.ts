/** The lab's public face: an embedded EKS for tests, the demo and other people's tools. It knows nothing of any migrator. */
export { labCommand, reportLabError } from './cli.js';
export { LabUnreachableError, LabUsageError } from './errors.js';
export { LabFaults } from './faults/client.js';
export type { AwsSettings, WaitOptions } from './faults/client.js';
export type { FaultActions, FaultEvent, FaultRule, Target } from './faults/types.js';
export { labStatus, listLabs, openLab, startLab, stopLab } from './lab.js';
export type { Lab } from './lab.js';
export type { GroupOptions, LabOptions } from './options.js';
export { assetsRoot, cacheRoot, labsRoot } from './paths.js';
export { standInChart } from './standin.js';
export type { LabStatus } from './status.js';
export { ensureControlPlane } from './toolchain/controlplane.js';
export type { OnProgress } from './toolchain/controlplane.js';
export { ensurePython } from './toolchain/python.js';
export { checkSpace } from './toolchain/disk.js';
export type { Space } from './toolchain/disk.js';
export { checkTools } from './toolchain/tools.js';
