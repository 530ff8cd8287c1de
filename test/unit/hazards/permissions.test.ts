import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { MESH_ACCESS, MESH_ACTIONS } from '../../../activities/mesh/access.js';
import { KUBERNETES_ACCESS, MIGRATOR_ACTIONS, OPERATOR_ACTIONS, OPERATOR_OPTIONAL_ACTIONS, probeAccess, PROVING_ACTIONS, restartAccess, ROLLBACK_ACTIONS } from '../../../activities/observe/index.js';
import { probesSchema } from '../../../domain/spec/probes.js';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}
interface RoleDocument {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: Rule[];
}

const deploy = (file: string): string => readFileSync(new URL(`../../../deploy/${file}`, import.meta.url), 'utf8');
const line = (namespace: string | undefined, of: { group: string; resource: string }, verb: string): string => `${namespace ?? '*'}: ${verb} ${of.resource}.${of.group}`;

/** What every Role in the file grants. */
function grantedBy(file: string): string[] {
  return parseAllDocuments(deploy(file))
    .map((document) => document.toJS() as RoleDocument)
    .flatMap(({ metadata, rules = [] }) =>
      rules.flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => line(metadata.namespace, { group, resource }, verb)))),
      ),
    )
    .sort();
}
const asked = (access: typeof KUBERNETES_ACCESS): string[] => access.flatMap(({ namespace, group, resource, verbs }) => verbs.map((verb) => line(namespace, { group, resource }, verb))).sort();
const PROBE_ACCESS = probeAccess(probesSchema.parse({ network: {} }));

it('deploy/rbac.yaml grants exactly the verbs that preflight asks for', () => {
  expect(grantedBy('rbac.yaml')).toEqual(asked(KUBERNETES_ACCESS));
});

it('deploy/rbac-restart.yaml grants exactly what restarting pods uses beside; strategy replace asks for nothing of it', () => {
  expect(grantedBy('rbac-restart.yaml')).toEqual(asked(restartAccess('chain')));
  expect(restartAccess('clean')).toEqual(restartAccess('chain'));
  expect(restartAccess('replace')).toEqual([]);
});

it('deploy/rbac-mesh.yaml grants exactly what mesh and policy use beside', () => {
  expect(grantedBy('rbac-mesh.yaml')).toEqual(asked(MESH_ACCESS));
});

it('deploy/rbac-probes.yaml grants exactly what the network probe uses beside; without it nothing is asked for', () => {
  expect(grantedBy('rbac-probes.yaml')).toEqual(asked(PROBE_ACCESS));
  expect(probeAccess(probesSchema.parse({ http: [{ url: 'http://shop.example.com' }] }))).toEqual([]);
});

const allowed = (file: string): string[] =>
  (JSON.parse(deploy(`iam/${file}`)) as { Statement: { Effect: string; Action: string[] }[] }).Statement.flatMap(({ Action }) => Action).sort();

it('deploy/iam/migrator-policy.json allows exactly the actions that are used', () => {
  expect(allowed('migrator-policy.json')).toEqual([...[...MIGRATOR_ACTIONS, ...ROLLBACK_ACTIONS].map(({ action }) => action), ...PROVING_ACTIONS].sort());
});

it('deploy/iam/mesh-policy.json allows exactly what a mesh needs beyond it', () => {
  expect(allowed('mesh-policy.json')).toEqual([...MESH_ACTIONS].sort());
});

it('deploy/iam/cilium-operator-policy.json allows exactly what the operator uses', () => {
  expect(allowed('cilium-operator-policy.json')).toEqual([...OPERATOR_ACTIONS, ...OPERATOR_OPTIONAL_ACTIONS].sort());
});

/** Every TypeScript source of activities/. */
function sources(): string[] {
  const root = new URL('../../../activities/', import.meta.url);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(name, root), 'utf8'));
}

/** `new DescribeSubnetsCommand(` of `@aws-sdk/client-ec2` is the action `ec2:DescribeSubnets`. */
function actionsInSources(): string[] {
  return sources().flatMap((text) => {
    return [...text.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-([a-z0-9-]+)'/g)].flatMap(([, names = '', client = '']) => {
      const service = client.replace('auto-scaling', 'autoscaling');
      return [...names.matchAll(/\b(\w+)Command\b/g)].map(([, call = '']) => `${service}:${call}`);
    });
  });
}

it('every AWS call in the sources is in the lists, and nothing else is', () => {
  // STS answers everybody; the other two are permissions without a call.
  const called = new Set(actionsInSources().filter((action) => action !== 'sts:GetCallerIdentity'));
  const listed = [...[...MIGRATOR_ACTIONS, ...ROLLBACK_ACTIONS].map(({ action }) => action), ...PROVING_ACTIONS, ...MESH_ACTIONS].filter((action) => !['iam:PassRole', 'eks:CreatePodIdentityAssociation'].includes(action));
  expect([...called].sort()).toEqual(listed.sort());
});

const VERBS: Record<string, string> = { read: 'get', list: 'list', create: 'create', replace: 'update', patch: 'patch', delete: 'delete' };

/** `core.readNamespacedConfigMap(` is `get configmaps`; what helm does is not seen here. */
function verbsInSources(): string[] {
  return sources().flatMap((text) =>
    [...text.matchAll(/\.(read|list|create|replace|patch|delete)(?:Namespaced)?([A-Z][A-Za-z]+?)(?:ForAllNamespaces)?\(\{?/g)].flatMap(([, method = '', kind = '']) => {
      if (/^(SelfSubject|ClusterCustomObject|NamespacedCustomObject)/.test(kind) || kind === 'CustomObject') return [];
      const resource = SUBRESOURCES[kind] ?? plural(kind.toLowerCase());
      return KINDS.has(kind) ? [`${VERBS[method] ?? method} ${resource}`] : [];
    }),
  );
}

const SUBRESOURCES: Record<string, string> = { PodEviction: 'pods/eviction', DeploymentScale: 'deployments/scale' };
const plural = (kind: string): string => (kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`);
/** Kinds of the API; other methods that begin with such a verb are functions of ours. */
const KINDS = new Set(
  ('Node Pod PodEviction Secret ConfigMap Namespace ServiceAccount Service Lease DaemonSet Deployment ReplicaSet StatefulSet ControllerRevision Job CronJob ' +
    'ClusterRole ClusterRoleBinding Role RoleBinding PodDisruptionBudget NetworkPolicy EndpointSlice CustomResourceDefinition ' +
    'MutatingWebhookConfiguration ValidatingWebhookConfiguration Event DeploymentScale VolumeAttachment PersistentVolumeClaim HorizontalPodAutoscaler').split(' '),
);

it('every call to the API server in the sources is in the list', () => {
  const listed = new Set([...KUBERNETES_ACCESS, ...restartAccess('chain'), ...PROBE_ACCESS, ...MESH_ACCESS].flatMap(({ resource, verbs }) => verbs.map((verb) => `${verb} ${resource}`)));
  const called = [...new Set(verbsInSources())];
  expect(called.length).toBeGreaterThan(20);
  expect(called.filter((verb) => !listed.has(verb))).toEqual([]);
});
