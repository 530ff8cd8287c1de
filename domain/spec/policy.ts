import { z } from 'zod';
import { objectName } from './common.js';
import { API_VERSION } from './words.js';

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Names of Cilium clusters: `spec.cilium.clusterName`, or the migration's name. */
const cluster = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/, 'expected the name of a cluster: lower case letters, digits, - and .');

const labels = z
  .record(
    z.string().regex(LABEL_KEY, 'expected the key of a Kubernetes label, such as app or app.kubernetes.io/name'),
    z.string().regex(LABEL_VALUE, 'expected the value of a Kubernetes label'),
  )
  .refine((given) => Object.keys(given).length > 0, { message: 'expected at least one label: none would select every pod of the namespace' })
  .refine((given) => Object.keys(given).every((key) => !key.startsWith('io.cilium.k8s.') && !key.startsWith('io.kubernetes.pod.')), {
    message: 'expected labels of pods only: cluster and namespace have keys of their own here',
  });

const side = {
  cluster: cluster.describe('Cluster of the pods: metadata.name of its ClusterMigration'),
  namespace: z.string().regex(NAMESPACE, 'expected the name of a namespace').describe('Namespace of the pods'),
  labels: labels.describe('Labels that select the pods'),
};

const port = z.strictObject({
  port: z.number().int().min(1).max(65_535).describe("Port that the pods listen on (not a Service's)"),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
});

/** The CrossClusterPolicy document (POLICY): these pods talk to those and to nothing else, and those are talked to by nobody else. */
export const crossClusterPolicySchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('CrossClusterPolicy'),
  metadata: z.strictObject({
    name: objectName.refine((name) => name.length <= 50, { message: 'expected at most 50 characters: policies are named after it' }).describe('Name of the policy'),
  }),
  spec: z.strictObject({
    from: z.strictObject(side).describe('Who may open connections'),
    to: z.strictObject({ ...side, ports: z.array(port).min(1, 'expected at least one port').max(40, 'expected at most 40 ports').describe('Ports that are opened') }).describe('To whom'),
  }),
});

export type CrossClusterPolicy = z.output<typeof crossClusterPolicySchema>;
export type PolicySide = CrossClusterPolicy['spec']['from'];
export type PolicyPort = CrossClusterPolicy['spec']['to']['ports'][number];

/** What is read of a CiliumNetworkPolicy that is given as it is; the rest is the API server's to judge. */
export const ciliumNetworkPolicySchema = z.looseObject({
  apiVersion: z.literal('cilium.io/v2'),
  kind: z.literal('CiliumNetworkPolicy'),
  metadata: z.looseObject({
    name: objectName,
    namespace: z.string().regex(NAMESPACE, 'expected the name of a namespace').default('default'),
    labels: z.record(z.string(), z.string()).optional(),
  }),
});

/** A CiliumNetworkPolicy, as rendered here or as a person wrote it. */
export type CiliumNetworkPolicy = z.output<typeof ciliumNetworkPolicySchema>;
