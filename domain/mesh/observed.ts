import type { HelmValues } from '../spec/schema.js';

/** A rule of a security group that lets somebody in. */
export interface IngressRule {
  /** `-1` is every protocol. */
  protocol: string;
  from: number | null;
  to: number | null;
  cidrs: string[];
  /** Other groups and prefix lists: whom they let in cannot be told from here. */
  references: string[];
}

/** What one cluster of a mesh says of itself. Plain JSON; no key material, the CA by its digest only. */
export interface MeshMember {
  /** metadata.name of its ClusterMigration. */
  name: string;
  /** What its ClusterMigration says. */
  wanted: { clusterName: string; clusterId: number | null; version: string };
  /** UID of kube-system: two files that lead to one cluster show. */
  uid: string;
  /** `cilium-config`; null where Cilium is not there. */
  config: Record<string, string> | null;
  release: { chartVersion: string; status: string; ours: boolean; values: HelmValues } | null;
  agents: { desired: number; ready: number };
  /** Pods of aws-node that run; nodes labelled for it. */
  awsNodes: number;
  /** sha256 of the certificate in Secret cilium-ca; null where there is none. */
  ca: string | null;
  /** The mesh that the ledger names; null where it is in none. */
  mesh: string | null;
  /** IPv4 networks of its VPC. */
  vpcCidrs: string[];
  /** Of every node, deduplicated; each node has one of the sets. Null where EC2 does not say. */
  securityGroups: { id: string; rules: IngressRule[] }[] | null;
  /** The AWS Load Balancer Controller was found. */
  loadBalancerController: boolean;
}
