import { getExternalWorkflowHandle, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Said } from '../../domain/control.js';
import { MIGRATE_CLUSTER, migrationWorkflowId } from '../../domain/names.js';
import type { Member } from '../../domain/fleet/members.js';
import { manifestOf } from '../../domain/fleet/roster.js';
import type { SpecPart } from '../../domain/fleet/schema.js';
import { abortSignal, holdSignal, unholdSignal } from '../messages.js';
import type { migrateCluster } from '../migrateCluster.js';
import { fleetAttribute } from './visibility.js';

const FAIRNESS_KEY_BYTES = 64;

export interface StartContext {
  fleet: string;
  shared: SpecPart;
  searchAttributes: boolean;
  /** Told when it ends while this run of the fleet lasts: time to look. What came of it, only the look says. */
  ended(): void;
}

/**
 * Starts the migration of a cluster: an ordinary one, with its ordinary id. It is abandoned to itself, so that it outlives the
 * fleet's continue-as-new and its termination; the fleet knows it by its id (docs/adr/0013). Whoever migrates the cluster
 * already keeps it: that run is taken in as it is.
 */
export async function startCluster(member: Member, { fleet, shared, searchAttributes, ended }: StartContext): Promise<'started' | 'adopted'> {
  try {
    const child = await startChild<typeof migrateCluster>(MIGRATE_CLUSTER, {
      workflowId: migrationWorkflowId(member.name),
      args: [manifestOf(member, shared)],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      priority: { fairnessKey: member.name.slice(0, FAIRNESS_KEY_BYTES) },
      staticSummary: `${member.name}, of fleet ${fleet}`.slice(0, 200),
      ...(member.taskQueue === undefined ? {} : { taskQueue: member.taskQueue }),
      ...(searchAttributes ? { typedSearchAttributes: new TypedSearchAttributes([{ key: fleetAttribute, value: fleet }]) } : {}),
    });
    void child.result().then(ended, ended);
    return 'started';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'adopted';
    throw error;
  }
}

const SIGNALS = { hold: holdSignal, unhold: unholdSignal, abort: abortSignal } as const;

/** Tells a cluster something. One that has ended meanwhile need not hear it: the next look finds its end. */
export async function tell({ name }: Member, word: keyof typeof SIGNALS, said: Said): Promise<void> {
  await getExternalWorkflowHandle(migrationWorkflowId(name))
    .signal(SIGNALS[word], said)
    .catch(() => undefined);
}
