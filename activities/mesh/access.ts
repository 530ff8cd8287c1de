import { KUBE_SYSTEM } from '../../domain/names.js';
import type { Access } from '../observe/permissions.js';

/**
 * What `ciliate mesh` and `ciliate policy` do in a cluster beyond a migration: deploy/rbac-mesh.yaml grants exactly these (a unit test
 * compares the two). Apart, because a worker that only migrates needs none of them: pods/exec above all.
 */
export const MESH_ACCESS: readonly Access[] = [
  // Each agent is asked for its own view of the mesh
  { group: '', resource: 'pods/exec', verbs: ['create', 'get'], namespace: KUBE_SYSTEM },
  // Policies, and what restricts their pods already
  { group: 'cilium.io', resource: 'ciliumnetworkpolicies', verbs: ['get', 'list', 'create', 'patch', 'delete'] },
  // Probe pods
  { group: 'batch', resource: 'jobs', verbs: ['create', 'delete'] },
];

/** AWS actions beyond a migration's: deploy/iam/mesh-policy.json allows exactly these. Nothing is changed in AWS. */
export const MESH_ACTIONS: readonly string[] = ['ec2:DescribeSecurityGroups', 'ec2:DescribeVpcs'];
