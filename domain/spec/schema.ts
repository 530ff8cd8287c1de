import { z } from 'zod';
import { parseSelector } from '../kubernetes/selectorText.js';
import { limitProblem, limitsProblem } from '../pool/limits.js';
import { objectName, roleArn } from './common.js';
import { probesSchema } from './probes.js';
import { API_VERSION, CHAIN_LIMITS, CHAIN_REFUSES, DRAIN_TIMEOUTS, GATES, STRATEGIES } from './words.js';

/**
 * The ClusterMigration manifest (SPEC). Strict: an unknown key is an error. The descriptions become the JSON Schema that is
 * shipped (schemas/clustermigration.schema.json), so they are written for an operator's editor. What workflows need: words.ts.
 */
const text = z.string().min(1);

const awsSettings = z.strictObject({
  profile: text.optional().describe('Profile of the shared AWS configuration on the worker'),
  roleArn: roleArn.optional().describe('Role that the worker assumes for this cluster'),
});

export const clusterSchema = z
  .strictObject({
    kubeconfig: text.optional().describe("Path of a kubeconfig, relative to this file's folder"),
    context: text.optional().describe('Context in the kubeconfig; its current context where absent'),
    region: text.optional().describe('AWS region of the cluster; AWS_REGION of the worker where absent'),
    aws: awsSettings.optional(),
    eks: z
      .strictObject({ name: text, region: text, roleArn: roleArn.optional(), profile: text.optional() })
      .optional()
      .describe('The EKS cluster by name: endpoint, CA and token come from AWS, no kubeconfig needed'),
  })
  .refine((cluster) => (cluster.kubeconfig === undefined) !== (cluster.eks === undefined), {
    message: 'expected exactly one of kubeconfig and eks',
  })
  .refine((cluster) => cluster.eks === undefined || (cluster.region ?? cluster.aws ?? cluster.context) === undefined, {
    message: 'region, context and aws belong to kubeconfig; with eks use eks.region and eks.roleArn',
  });

export const ciliumSchema = z.strictObject({
  version: z
    .string()
    .regex(/^1\.(1[2-9]|20)\.\d+$/, 'expected a Cilium version from 1.12.0 to 1.20.x, such as 1.20.0')
    .describe('Version of the Cilium chart'),
  chart: text.optional().describe('Path of a chart (.tgz or folder), or an oci:// or https:// reference; the public Helm repository where absent'),
  clusterName: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/, 'expected at most 32 of a-z, 0-9 and -')
    .refine((name) => name !== 'default', 'expected another name than "default": it is refused by Cluster Mesh')
    .optional()
    .describe('Final cluster name. A later change restarts every workload, so it is asked for now; metadata.name where absent'),
  clusterId: z
    .number()
    .int()
    .min(1)
    .max(127)
    .optional()
    .describe('Final id for Cluster Mesh, 1 to 127 in ENI mode (bit 7 collides with the VPC CNI connmark). A later change restarts every workload'),
  masquerade: z
    .union([z.literal('auto'), z.boolean()])
    .default('auto')
    .describe('Source NAT of pod traffic that leaves the VPC. auto decides from aws-node and the route tables, or blocks'),
  masqueradeInterface: text.optional().describe('egressMasqueradeInterfaces, where auto cannot tell'),
  acceptPolicyGap: z
    .boolean()
    .default(false)
    .describe('Accept that NetworkPolicies now enforced by the VPC CNI are not enforced on migrated nodes until before-enforcement'),
  values: z.record(z.string(), z.json()).default({}).describe('Further Helm values; a key that fights the migration is refused'),
});

/** As a Deployment's maxSurge and maxUnavailable. */
const nodeLimit = z
  .union([z.number().int().min(0), z.string()])
  .refine((value) => limitProblem(String(value)) === null, { message: 'expected a whole number of nodes such as 2, or a percentage such as 25%' });

/** Checked here: the API server would refuse a bad one when aws-node is confined already. */
const labelSelector = text.superRefine((value, context) => {
  const read = parseSelector(value);
  if ('problem' in read) context.addIssue({ code: 'custom', message: `expected a label selector such as pool=db or pool in (db, cache), with ${read.problem}` });
});

export const refreshSchema = z
  .strictObject({
    maxSurge: nodeLimit.default(0).describe("Extra nodes while the others are refreshed, in all groups together: a number, or a percentage of the nodes, rounded up; as a Deployment's"),
    maxUnavailable: nodeLimit.default(1).describe("Nodes that may be missing meanwhile, in all groups together: a number, or a percentage of the nodes, rounded down; as a Deployment's"),
    maxPerZone: z.number().int().min(1).optional().describe('Nodes of one zone that may be refreshed at a time'),
    maxPerGroup: z.number().int().min(1).optional().describe('Nodes of one group that may be refreshed at a time'),
    canary: z.boolean().default(true).describe('One node of each group alone, a soak, the gate after-canary; then 1, 2, 4 … nodes at a time. false: at once what the limits allow'),
    canarySoakSeconds: z.number().int().min(0).max(86_400).optional().describe('How long the cluster is left alone after the canaries; absent: soakSeconds, at most ten minutes'),
    order: z
      .strictObject({
        label: text.optional().describe('Label whose whole number says when: lower first'),
        first: z.array(text).optional().describe('Names of nodes that go first, in this order'),
        last: z.array(text).optional().describe('Names of nodes that go last, in this order'),
      })
      .prefault({})
      .describe('Order of the nodes; otherwise balanced over zones and groups'),
    leaveAlone: labelSelector.optional().describe('Label selector of nodes that are not refreshed; the run then ends partial and names them'),
    failuresInARow: z
      .strictObject({
        canary: z.number().int().min(1).max(100).default(1).describe('… while a group has no refreshed node yet'),
        later: z.number().int().min(1).max(100).default(3).describe('… afterwards'),
      })
      .prefault({})
      .describe('After so many failures in a row the run pauses itself and says why'),
    shouldDecrementDesiredCapacity: z.boolean().default(false).describe("As in the Auto Scaling API: true shrinks the group by every node refreshed"),
  })
  .superRefine((refresh, context) => {
    const message = limitsProblem(refresh);
    if (message !== null) context.addIssue({ code: 'custom', message });
  })
  .prefault({});

export const drainSchema = z
  .strictObject({
    emptyDir: z.enum(['evict', 'block']).default('evict').describe('Pods with emptyDir volumes: evict loses their content'),
    barePods: z.enum(['evict', 'block']).default('block').describe('Pods without a controller: an evicted bare pod is gone for good'),
    timeLimitSeconds: z.number().int().min(5).max(86_400).default(1_800).describe('How long the drain of one node may take, pauses apart; then onTimeout decides'),
    onTimeout: z
      .enum(DRAIN_TIMEOUTS)
      .default('skip-to-end')
      .describe('skip-to-end: the node is handed back as it was found and tried once more when no other is left; wait: it is waited for; force: a gate asks which pods may be deleted'),
    surgeSingletons: z
      .boolean()
      .default(false)
      .describe('A Deployment with one replica is scaled to 2 before its pod is evicted, and back once the other one is Ready elsewhere'),
  })
  .prefault({});

const chainSchema = z
  .strictObject({
    acceptLimits: z.array(z.enum(CHAIN_LIMITS)).optional().describe('What chaining cannot do and is accepted; every limit that holds for this cluster must be here. Absent: the gate accept-limits shows them'),
  })
  .prefault({});

const cleanSchema = z
  .strictObject({
    addOns: z.array(text).default([]).describe('Further namespaces whose pods are add-ons and no user workloads'),
  })
  .prefault({});

/** Gates that can be left out; accept-limits is left out by accepting them. */
const APPROVALS = GATES.filter((gate) => gate !== 'accept-limits');

export const manifestSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('ClusterMigration'),
  metadata: z.strictObject({ name: objectName.describe('Name of the migration; CLUSTER of every command') }),
  spec: z
    .strictObject({
      cluster: clusterSchema,
      cilium: ciliumSchema,
      strategy: z
        .enum(STRATEGIES)
        .default('replace')
        .describe('replace: Cilium in ENI mode, node after node; chain: Cilium chained on the VPC CNI, which stays; clean: a new cluster without user workloads, aws-node first'),
      chain: chainSchema.describe('Only with strategy chain'),
      clean: cleanSchema.describe('Only with strategy clean'),
      refresh: refreshSchema,
      drain: drainSchema,
      probes: probesSchema.describe('What must hold after each node, beside what is always looked at'),
      soakSeconds: z.number().int().min(0).max(86_400).default(60).describe('How long the cluster is left alone after enforcement, before before-removal'),
      approvals: z.array(z.enum(APPROVALS)).optional().describe('Gates that wait for an approval; absent: all, []: none'),
    })
    .refine(({ refresh, approvals }) => refresh.canary || approvals?.includes('after-canary') !== true, {
      path: ['approvals'],
      message: 'expected no after-canary with refresh.canary false: there is no canary to approve',
    })
    .refine(({ strategy, approvals = [] }) => strategy !== 'chain' || !approvals.some((gate) => CHAIN_REFUSES.includes(gate)), {
      path: ['approvals'],
      message: 'expected no before-removal with strategy chain: aws-node stays',
    })
    .refine(({ strategy, chain }) => strategy === 'chain' || chain.acceptLimits === undefined, {
      path: ['chain'],
      message: 'expected no chain.acceptLimits without strategy: chain',
    })
    .refine(({ strategy, clean }) => strategy === 'clean' || clean.addOns.length === 0, {
      path: ['clean'],
      message: 'expected no clean.addOns without strategy: clean',
    })
    .refine(({ strategy, drain }) => strategy !== 'chain' || drain.onTimeout !== 'force', {
      path: ['drain', 'onTimeout'],
      message: 'expected skip-to-end or wait with strategy chain: its own way drains no node, so there is none to force',
    }),
});

/** The manifest after defaults: what the workflow runs on. Paths are absolute (made so by `start`). */
export type Manifest = z.output<typeof manifestSchema>;
/** What a person may write. */
export type ManifestInput = z.input<typeof manifestSchema>;
export type MigrationSpec = Manifest['spec'];
export type ClusterRef = z.output<typeof clusterSchema>;
export type CiliumSpec = z.output<typeof ciliumSchema>;
export type RefreshSpec = z.output<typeof refreshSchema>;
export type DrainSpec = z.output<typeof drainSchema>;
export type HelmValues = CiliumSpec['values'];
