import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { EKSClient } from '@aws-sdk/client-eks';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { STSClient } from '@aws-sdk/client-sts';
import type {
  AdmissionregistrationV1Api,
  ApiConstructor,
  ApiextensionsV1Api,
  ApisApi,
  AppsV1Api,
  AuthorizationV1Api,
  BatchV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PolicyV1Api,
  RbacAuthorizationV1Api,
  VersionApi,
} from '@kubernetes/client-node';
import type { EventSource } from './events.js';
import type { ClusterRef } from '../../domain/spec/schema.js';

/**
 * Connections to one API server, and so requests side by side. Fifty nodes in flight evict their pods side by side, which is slow where
 * budgets are many: nothing else should wait for that.
 */
export const CONNECTIONS = 96;

/** The Kubernetes side of one cluster: every API shares one authenticated, timed HTTP library. */
export interface KubeClients {
  config: KubeConfig;
  /** URL of the API server. */
  server: string;
  core: CoreV1Api;
  apps: AppsV1Api;
  policy: PolicyV1Api;
  coordination: CoordinationV1Api;
  rbac: RbacAuthorizationV1Api;
  authorization: AuthorizationV1Api;
  batch: BatchV1Api;
  admission: AdmissionregistrationV1Api;
  apiextensions: ApiextensionsV1Api;
  custom: CustomObjectsApi;
  version: VersionApi;
  /** API groups that the server knows (`/apis`). */
  apis: ApisApi;
  /** Any other API class of client-node, with the same authentication and time-outs. */
  make<T extends object>(api: ApiConstructor<T>): T;
}

export interface AwsClients {
  ec2: EC2Client;
  autoScaling: AutoScalingClient;
  /** For calls that must not be sent twice unobserved: a termination with decrement, a size. */
  autoScalingOnce: AutoScalingClient;
  eks: EKSClient;
  iam: IAMClient;
  sts: STSClient;
}

/** Everything that talks to one cluster and its AWS account. Never leaves the worker process. */
export interface Clients {
  kube: KubeClients;
  aws: AwsClients;
  region: string;
  ref: ClusterRef;
  /** Hints that something changed, for those who wait. */
  events: EventSource;
  /** Which pool each instance belongs to, as far as it was asked for (activities/drivers/memberships.ts). */
  memberships: Map<string, { group: string; zone: string }>;
}

/** Seconds after which a call is given up, so that a dead API server never hangs an activity. */
export const CONNECT_TIMEOUT_MS = 5_000;
export const REQUEST_TIMEOUT_MS = 20_000;
