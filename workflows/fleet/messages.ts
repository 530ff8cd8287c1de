import { defineQuery } from '@temporalio/workflow';
import type { FleetStatus } from '../../domain/fleet/status.js';

/** Updates and signals of a fleet have the names and arguments of a migration's (workflows/messages.ts); `gate` of an approval is the ring. */
export const fleetStatusQuery = defineQuery<FleetStatus>('status');
