import { IANAZone } from 'luxon';
import { z } from 'zod';
import { objectName, roleArn } from '../spec/common.js';
import { API_VERSION } from '../spec/words.js';
import { clockMinutes, weekdays } from './days.js';

/**
 * The Fleet manifest (FLEET), and the form that its workflow is started with. Strict, as a ClusterMigration; what clusters are
 * made of (`defaults`, `overrides`) is checked once it is merged, by the schema of a ClusterMigration.
 */
const text = z.string().min(1);
const clusterId = z.number().int().min(1).max(127);
/** Part of a ClusterMigration's `spec`. */
const part = z.record(z.string(), z.json());
const taskQueue = text.optional().describe("Task queue of this cluster's work, where a worker inside a private network must do it (`ciliate worker --task-queue NAME`)");

const windowSchema = z
  .strictObject({
    days: z.array(z.string().refine((value) => weekdays(value) !== null, 'expected a day such as mon, or days such as mon-fri')).min(1).describe('Days on which the window opens'),
    from: z.string().refine((value) => clockMinutes(value) !== null && value !== '24:00', 'expected a time from "00:00" to "23:59", in quotes').describe('When it opens, HH:MM'),
    to: z.string().refine((value) => clockMinutes(value) !== null, 'expected a time from "00:00" to "24:00", in quotes').describe('When it closes, HH:MM; not later than `from`: on the next day'),
    timeZone: z.string().refine((value) => IANAZone.isValidZone(value), 'expected a time zone such as Europe/Berlin or UTC').describe('IANA name'),
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'expected another time than from; the whole day is from "00:00" to "24:00"' });

export const selectSchema = z.strictObject({
  tags: z.record(text, z.string()).refine((tags) => Object.keys(tags).length > 0, 'expected at least one tag: without one it would be every cluster of the account').describe('EKS clusters that carry all of these tags'),
  accounts: z
    .array(
      z.strictObject({
        roleArn: roleArn.optional().describe("Role that the worker assumes there; its own credentials where absent"),
        profile: text.optional().describe('Profile of the shared AWS configuration on the worker'),
        regions: z.array(text).min(1),
      }),
    )
    .min(1),
});

const entrySchema = z
  .strictObject({
    file: text.optional().describe("Path of a ClusterMigration, relative to this file's folder"),
    select: selectSchema.optional().describe('EKS clusters by tag, through ListClusters and DescribeCluster'),
    overrides: part.optional().describe("Part of a ClusterMigration's spec that wins over the file and over defaults"),
    taskQueue,
  })
  .refine((entry) => (entry.file === undefined) !== (entry.select === undefined), { message: 'expected exactly one of file and select' });

const ringFields = {
  name: objectName.describe('RING of `ciliate fleet approve`'),
  maxInFlight: z.number().int().min(1).default(1).describe('Most clusters of this ring that are migrated at a time'),
  gate: z.boolean().default(false).describe('After this ring an approval is awaited before the next one starts'),
};
interface RingShape {
  name: string;
  gate: boolean;
}
const uniqueNames = (rings: RingShape[]): boolean => new Set(rings.map((ring) => ring.name)).size === rings.length;
const UNIQUE = { message: 'expected another name for each ring' };
const gateHasNext = (rings: RingShape[]): boolean => rings.at(-1)?.gate !== true;
const GATE = { message: 'expected no gate after the last ring: nothing comes after it' };

const fleetFields = {
  clusterIds: z
    .strictObject({ from: clusterId, to: clusterId })
    .refine(({ from, to }) => from <= to, { path: ['to'], message: 'expected a number that is not less than from' })
    .optional()
    .describe('Range of cilium.clusterId for clusters that name none; an id that a cluster has once is kept for good'),
  failureBudget: z.number().int().min(0).default(0).describe('So many clusters may fail, be aborted, end partial or be blocked; past it the fleet starts no other and says why'),
  windows: z.array(windowSchema).default([]).describe('Maintenance windows; outside of them clusters pause between nodes. None: always'),
};

const head = { apiVersion: z.literal(API_VERSION), kind: z.literal('Fleet'), metadata: z.strictObject({ name: objectName.describe('Name of the fleet; FLEET of every command') }) };

/** What a person writes. */
export const fleetSchema = z.strictObject({
  ...head,
  spec: z.strictObject({
    defaults: part.default({}).describe("Part of a ClusterMigration's spec, under each cluster's own: what its file says wins"),
    ...fleetFields,
    rings: z
      .array(z.strictObject({ ...ringFields, clusters: z.array(entrySchema).min(1) }))
      .min(1)
      .refine(uniqueNames, UNIQUE)
      .refine(gateHasNext, GATE)
      .describe('In this order; the next one starts when every cluster of the one before has ended (or is blocked, within the budget)'),
  }),
});

/** A cluster by name, or those that a selection will find; its spec is `shared` with this merged over it. */
const memberSchema = z
  .strictObject({ name: objectName.optional(), select: selectSchema.optional(), spec: part, taskQueue })
  .refine((member) => (member.name === undefined) !== (member.select === undefined), { message: 'expected exactly one of name and select' });

const namesOf = (rings: { clusters: { name?: string }[] }[]): string[] => rings.flatMap(({ clusters }) => clusters.flatMap((member) => (member.name === undefined ? [] : [member.name])));

/**
 * What the workflow is started with: files read, paths absolute, defaults and overrides merged, and what all clusters have in
 * common said once (`shared`), so that hundreds of them fit in one payload.
 */
export const fleetInputSchema = z.strictObject({
  ...head,
  spec: z.strictObject({
    ...fleetFields,
    shared: part.default({}),
    rings: z
      .array(z.strictObject({ ...ringFields, clusters: z.array(memberSchema).min(1) }))
      .min(1)
      .refine(uniqueNames, UNIQUE)
      .refine(gateHasNext, GATE)
      .refine((rings) => new Set(namesOf(rings)).size === namesOf(rings).length, 'expected each cluster once'),
  }),
});

export type FleetManifest = z.output<typeof fleetSchema>;
export type FleetEntry = z.output<typeof entrySchema>;
export type FleetInput = z.output<typeof fleetInputSchema>;
export type FleetMember = z.output<typeof memberSchema>;
export type Selection = z.output<typeof selectSchema>;
export type Window = z.output<typeof windowSchema>;
export type SpecPart = z.output<typeof part>;
