import type { Finding } from '../findings.js';
import { finding } from '../hazards/finding.js';
import type { RenderedPolicy } from './render.js';
import { clusterlessMeaning, clusterlessSelectors, directionsOf } from './selectors.js';

/** What a cluster says of itself as far as policies are concerned. */
export interface PolicyFacts {
  /** `cilium-config`; undefined where Cilium is not there. */
  config: Record<string, string> | undefined;
  /** Minor of the agents' image; NaN where it does not say. */
  minor: number;
  agents: { desired: number; ready: number };
  nodeLocalDns: boolean;
  /** Names of the clusters that the agents are told of. */
  peers: string[];
  namespace: boolean;
}

/** What was seen of a cluster, for the checks of one policy. */
export interface CheckInput {
  rendered: RenderedPolicy;
  /** What the labels of policies call this cluster. */
  ciliumName: string;
  /** Names in Cilium of the other clusters that the policy is about. */
  others: string[];
  seen: PolicyFacts & {
    foreign: boolean;
    /** Words of the API server on the dry run; null where it accepts. */
    refusal: string | null;
    pods: number | null;
    unmanaged: string[];
  };
}

type Check = (input: CheckInput) => Finding[];

/** Everything that is to be said of one policy in its cluster: blockers stop `apply`, warnings are only told. */
export function checkPolicy(input: CheckInput): Finding[] {
  return CHECKS.flatMap((check) => check(input));
}

const ciliumMissing: Check = ({ rendered, seen: { config } }) =>
  config !== undefined
    ? []
    : [finding('policy-no-cilium', 'blocker', { objects: [`cluster ${rendered.cluster}`], message: 'Cilium is not there: nobody would read the policy.', todo: 'Migrate the cluster first: ciliate start -f SPEC.' })];

const namespaceMissing: Check = ({ rendered, seen }) =>
  seen.namespace
    ? []
    : [finding('policy-no-namespace', 'blocker', { objects: [`Namespace ${rendered.object.metadata.namespace}`], message: `It is not there in cluster ${rendered.cluster}.`, todo: 'Create it, or correct POLICY.' })];

const otherName: Check = ({ rendered, ciliumName, seen: { config } }) => {
  const name = config?.['cluster-name'];
  if (name === undefined || name === ciliumName) return [];
  return [
    finding('policy-cluster-name', 'blocker', {
      objects: [`cluster ${rendered.cluster}`],
      message: `Cilium calls this cluster ${JSON.stringify(name)}, the policy would say ${JSON.stringify(ciliumName)} and select nothing.`,
      todo: 'Correct spec.cilium.clusterName of its ClusterMigration; the name in the cluster is final.',
    }),
  ];
};

const notEnforced: Check = ({ rendered, seen: { config } }) =>
  config?.['enable-policy'] !== 'never'
    ? []
    : [
        finding('policy-not-enforced', 'blocker', {
          objects: [`cluster ${rendered.cluster}`],
          message: 'Enforcement is off (policyEnforcementMode never): the policy would protect nobody.',
          todo: 'Approve before-enforcement of its migration first: ciliate status CLUSTER.',
        }),
      ];

const foreignObject: Check = ({ rendered, seen: { foreign } }) =>
  foreign
    ? [
        finding('policy-foreign', 'blocker', {
          objects: [`CiliumNetworkPolicy ${rendered.object.metadata.namespace}/${rendered.object.metadata.name}`],
          message: `An object of that name is there in cluster ${rendered.cluster} and was not made by ciliate for this policy.`,
          todo: 'Give the policy another name, or remove that object.',
        }),
      ]
    : [];

const refused: Check = ({ rendered, seen: { refusal } }) =>
  refusal === null
    ? []
    : [
        finding('policy-refused', 'blocker', {
          objects: [`CiliumNetworkPolicy ${rendered.object.metadata.namespace}/${rendered.object.metadata.name}`],
          message: `The API server of cluster ${rendered.cluster} refuses it: ${refusal}`,
          todo: 'Correct the policy; nothing was written.',
        }),
      ];

const noPods: Check = ({ rendered, seen: { pods } }) =>
  pods !== 0
    ? []
    : [
        finding('policy-no-pods', 'warning', {
          objects: [`Namespace ${rendered.object.metadata.namespace}`],
          message: `It selects no pod in cluster ${rendered.cluster} now.`,
          todo: 'Check the labels: kubectl get pods --show-labels. Pods that come later are restricted from their start.',
        }),
      ];

const unmanagedPods: Check = ({ rendered, seen: { unmanaged, config } }) =>
  unmanaged.length === 0 || config === undefined
    ? []
    : [
        finding('policy-unmanaged-pods', 'warning', {
          objects: unmanaged.map((pod) => `Pod ${rendered.object.metadata.namespace}/${pod}`),
          message: `Cilium does not network these pods of cluster ${rendered.cluster}: no policy holds for them, and they have no identity for others.`,
          todo: 'Restart them once their node is on Cilium.',
        }),
      ];

const agentsDown: Check = ({ rendered, seen: { agents } }) =>
  agents.ready >= agents.desired
    ? []
    : [finding('policy-agents-down', 'warning', { objects: [`cluster ${rendered.cluster}`], message: `${agents.ready} of ${agents.desired} Cilium agents are ready: the others learn of the policy later.`, todo: 'kubectl -n kube-system rollout status ds/cilium' })];

const notConnected: Check = ({ rendered, others, seen: { peers, config } }) => {
  const missing = others.filter((name) => !peers.includes(name));
  if (missing.length === 0 || config === undefined) return [];
  return [
    finding('policy-no-mesh', 'warning', {
      objects: missing.map((name) => `cluster ${name}`),
      message: `Cluster ${rendered.cluster} is not connected to it: a selector of its pods matches nothing here, so their traffic is refused.`,
      todo: 'Connect them: ciliate mesh connect -f MESH.',
    }),
  ];
};

const nodeLocalDns: Check = ({ rendered, seen }) =>
  !seen.nodeLocalDns || !directionsOf(rendered.object).includes('egress')
    ? []
    : [
        finding('policy-node-local-dns', 'warning', {
          objects: ['DaemonSet kube-system/node-local-dns'],
          message: `Pods of cluster ${rendered.cluster} ask a DNS cache on their own node, which the rule for CoreDNS does not name.`,
          todo: 'Add a policy of your own that allows port 53 to that cache.',
        }),
      ];

const clusterless: Check = ({ rendered, seen: { minor, config } }) => {
  const paths = clusterlessSelectors(rendered.object);
  if (paths.length === 0) return [];
  const local = config?.['policy-default-local-cluster'];
  const meaning = clusterlessMeaning(minor, local === undefined ? undefined : local === 'true');
  return [
    finding('policy-clusterless-selector', 'warning', {
      objects: paths,
      message: `These selectors name no cluster. In cluster ${rendered.cluster} they mean ${meaning}.`,
      todo: 'Add io.cilium.k8s.policy.cluster to each, so that it means the same in every version.',
    }),
  ];
};

const CHECKS: readonly Check[] = [
  ciliumMissing, namespaceMissing, otherName, notEnforced, foreignObject, refused, noPods, unmanagedPods, agentsDown, notConnected, nodeLocalDns, clusterless,
];
