import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../domain/names.js';
import { isOpen } from './query.js';

/** The little that activities ask of Temporal; narrow, so that tests can stand in for it. */
export interface TemporalGateway {
  /** UUID of the Temporal cluster: tells one server from another of the same address. */
  temporalClusterId(): Promise<string>;
  readonly namespace: string;
  /** `unknown`: no such workflow, or its retention is over. */
  describe(workflowId: string): Promise<'open' | 'closed' | 'unknown'>;
  /** Whether every search attribute of ours is registered. */
  searchAttributes(): Promise<boolean>;
}

/** On a client; `client` is called anew each time, since an activity's client belongs to its context. */
export function temporalGateway(client: () => Client): TemporalGateway {
  return {
    get namespace() {
      return client().options.namespace;
    },
    async temporalClusterId() {
      const { clusterId } = await client().workflowService.getClusterInfo({});
      return clusterId;
    },
    async describe(workflowId) {
      try {
        return isOpen(await client().workflow.getHandle(workflowId).describe()) ? 'open' : 'closed';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return 'unknown';
        throw error;
      }
    },
    async searchAttributes() {
      const { connection, options } = client();
      if (!('operatorService' in connection)) return false;
      try {
        const { customAttributes } = await (connection as Client['connection'] & { operatorService: OperatorService }).operatorService.listSearchAttributes({ namespace: options.namespace });
        return Object.keys(SEARCH_ATTRIBUTES).every((name) => name in (customAttributes ?? {}));
      } catch {
        // Listing them may be forbidden; without them the run goes on, and says so.
        return false;
      }
    },
  };
}

interface OperatorService {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: Record<string, unknown> | null }>;
}

/** The gateway of a worker: the client that every activity's context carries. */
export function activityTemporalGateway(): TemporalGateway {
  return temporalGateway(() => Context.current().client);
}
