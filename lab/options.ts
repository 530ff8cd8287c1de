import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { LabUsageError } from './errors.js';

const milliseconds = z.number().int().min(0).max(600_000);

const groupSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/),
  /** An EKS managed node group (with an Auto Scaling group behind it) or an Auto Scaling group of one's own. */
  managed: z.boolean().default(true),
  desired: z.number().int().min(0),
  min: z.number().int().min(0).optional(),
  max: z.number().int().min(0).optional(),
  labels: z.record(z.string(), z.string()).default({}),
  taints: z.array(z.strictObject({ key: z.string(), value: z.string().optional(), effect: z.enum(['NO_SCHEDULE', 'NO_EXECUTE', 'PREFER_NO_SCHEDULE']) })).default([]),
  /** Indexes of the lab's zones; all of them when left out. */
  zones: z.array(z.number().int().min(0)).optional(),
  instanceType: z.string().default('m5.large'),
});

const optionsSchema = z.strictObject({
  name: z.string().default('default'),
  /** Nodes of the default groups; ignored when `groups` is a list. */
  nodes: z.number().int().min(1).max(1000).default(6),
  /** How many groups of equal size, or exactly which ones. */
  groups: z.union([z.number().int().min(1).max(20), z.array(groupSchema).min(1)]).default(1),
  /** Whether groups given by number are EKS managed node groups. */
  managed: z.boolean().default(true),
  zones: z.number().int().min(1).max(3).default(3),
  region: z.string().default('eu-west-1'),
  /** Network of the VPC: two labs with different ones can be a cluster mesh. */
  vpcCidr: z.string().regex(/^10\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])\.0\.0\/16$/, 'expected 10.N.0.0/16').default('10.0.0.0/16'),
  /** From EC2 `running` to the Node being registered. */
  bootDelay: milliseconds.default(500),
  /** From a CNI agent's pod being bound to its being Ready. */
  agentDelay: milliseconds.default(500),
  podStartDelay: milliseconds.default(300),
  /** Whether the pods of Jobs succeed by themselves, without a word; false: somebody else plays their programs. */
  jobsSucceed: z.boolean().default(true),
  /** From a pod's deletion (or eviction) to its end. */
  terminationDelay: milliseconds.default(300),
  /** From `shutting-down` to `terminated`. */
  instanceTerminationDelay: milliseconds.default(500),
  /** From an add-on call to its effect. */
  addonDelay: milliseconds.default(300),
  /** `busy` grows with the cluster, 12 Deployments of 5 for 10 nodes: what node rollers are compared on. */
  workload: z.union([z.enum(['standard', 'busy', 'none']), z.number().int().min(1).max(20_000)]).default('standard'),
  /** As `terminationDelay`, for the StatefulSet of the busy workload, which takes its time. */
  slowTerminationDelay: milliseconds.default(1_200),
  awsNode: z.enum(['addon', 'selfmanaged']).default('addon'),
  vpcCniVersion: z.string().default('v1.21.1-eksbuild.3'),
  /** Environment of aws-node that differs from its defaults; goes into the add-on's configuration where there is one. */
  awsNodeEnv: z.record(z.string(), z.string()).default({}),
  /** Who deletes the Node of a terminated instance. */
  cloudController: z.enum(['on', 'slow', 'off']).default('on'),
  /** How long `slow` takes. */
  cloudControllerDelay: milliseconds.default(10_000),
  clusterAutoscaler: z.boolean().default(true),
  /** Nodes that Karpenter owns, beside the groups'; 0: no Karpenter. */
  karpenter: z.number().int().min(0).max(100).default(0),
  reuseAddress: z.boolean().default(false),
  /** A new instance whose name an old Node still has: wait for that Node to go, or take it over as a real kubelet does. */
  staleNode: z.enum(['wait', 'adopt']).default('wait'),
  maxPods: z.number().int().min(4).max(250).default(29),
  egress: z.enum(['nat', 'igw']).default('nat'),
  /** EKS tokens: IAM ARN (role or user) to Kubernetes groups. Everybody else is cluster-admin unless `accessDefault` says otherwise. */
  access: z.record(z.string(), z.array(z.string())).default({}),
  accessDefault: z.array(z.string()).default(['system:masters']),
  /** How far everything of the lab steps back for others (`nice`): on AWS an API server has a machine of its own, here it has yours. */
  niceness: z.number().int().min(0).max(19).default(0),
  /** The lab ends when this process is gone. */
  ownerPid: z.number().int().positive().optional(),
  /** How long `up` waits for a cluster that is ready. */
  readyTimeout: milliseconds.default(300_000),
});

/** What a lab can be asked for; see `ciliate lab up --help`. Times are milliseconds. */
export type LabOptions = z.input<typeof optionsSchema>;
/** The same with every default filled in. */
export type ResolvedOptions = z.output<typeof optionsSchema>;
/** A group of nodes. */
export type GroupOptions = z.output<typeof groupSchema>;

/** One Auto Scaling group as the AWS stand-in is told to make it. */
export interface GroupSpec {
  name: string;
  managed: boolean;
  desired: number;
  min: number;
  max: number;
  labels: Record<string, string>;
  taints: { key: string; value?: string | undefined; effect: string }[];
  zones: string[];
  instanceType: string;
}

/** @throws LabUsageError naming each option that does not fit. */
export function resolveOptions(options: LabOptions): ResolvedOptions {
  const parsed = optionsSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'options'}: ${issue.message}`);
  throw new LabUsageError(`lab options: ${problems.join('; ')}`);
}

/** The names of the lab's availability zones. */
export function zoneNames(options: ResolvedOptions): string[] {
  return ['a', 'b', 'c'].slice(0, options.zones).map((letter) => `${options.region}${letter}`);
}

/** The groups of this lab, with sizes that leave room to surge unless told otherwise. */
export function groupSpecs(options: ResolvedOptions): GroupSpec[] {
  const zones = zoneNames(options);
  return groupList(options).map((group) => ({
    name: group.name,
    managed: group.managed,
    desired: group.desired,
    min: group.min ?? Math.min(1, group.desired),
    max: group.max ?? group.desired + 10,
    labels: group.labels,
    taints: group.taints,
    zones: group.zones === undefined ? zones : zones.filter((_, index) => group.zones?.includes(index)),
    instanceType: group.instanceType,
  }));
}

function groupList(options: ResolvedOptions): GroupOptions[] {
  if (typeof options.groups !== 'number') return options.groups;
  const count = options.groups;
  return Array.from({ length: count }, (_, index) =>
    groupSchema.parse({
      name: count === 1 ? 'workers' : `workers-${String(index + 1)}`,
      managed: options.managed,
      desired: Math.floor(options.nodes / count) + (index < options.nodes % count ? 1 : 0),
    }),
  );
}

/** The options that a lab was started with. */
export function readOptions(dir: string): ResolvedOptions {
  return resolveOptions(JSON.parse(readFileSync(path.join(dir, 'options.json'), 'utf8')) as LabOptions);
}
