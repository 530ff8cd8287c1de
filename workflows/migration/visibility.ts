import { defineSearchAttributeKey } from '@temporalio/common';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../domain/names.js';
import type { MigrationStatus } from '../../domain/status.js';

const key = {
  cluster: defineSearchAttributeKey('CiliateCluster', SEARCH_ATTRIBUTES.CiliateCluster),
  phase: defineSearchAttributeKey('CiliatePhase', SEARCH_ATTRIBUTES.CiliatePhase),
  state: defineSearchAttributeKey('CiliateState', SEARCH_ATTRIBUTES.CiliateState),
  needsApproval: defineSearchAttributeKey('CiliateNeedsApproval', SEARCH_ATTRIBUTES.CiliateNeedsApproval),
  blocked: defineSearchAttributeKey('CiliateBlocked', SEARCH_ATTRIBUTES.CiliateBlocked),
  nodesDone: defineSearchAttributeKey('CiliateNodesDone', SEARCH_ATTRIBUTES.CiliateNodesDone),
  nodesTotal: defineSearchAttributeKey('CiliateNodesTotal', SEARCH_ATTRIBUTES.CiliateNodesTotal),
};

/** What a saved view can ask for, e.g. `CiliateNeedsApproval=true AND ExecutionStatus="Running"`. */
export function searchAttributesOf(status: MigrationStatus): { words: SearchAttributeUpdatePair[]; counts: SearchAttributeUpdatePair[] } {
  const words = [
    { key: key.cluster, value: status.migration },
    { key: key.phase, value: status.phase },
    { key: key.state, value: status.state },
    { key: key.needsApproval, value: status.gate !== null || status.forces.length > 0 },
    { key: key.blocked, value: status.blocked.length > 0 },
  ];
  const counts = [
    { key: key.nodesDone, value: status.nodes.done },
    { key: key.nodesTotal, value: status.nodes.total },
  ];
  return { words, counts };
}
