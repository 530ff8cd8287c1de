import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { KUBERNETES_ACCESS, MIGRATOR_ACTIONS, OPERATOR_ACTIONS, OPERATOR_OPTIONAL_ACTIONS, PROVING_ACTIONS } from '../../../activities/observe/index.js';

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

it('deploy/rbac.yaml grants exactly the verbs that preflight asks for', () => {
  const granted = parseAllDocuments(deploy('rbac.yaml'))
    .map((document) => document.toJS() as RoleDocument)
    .flatMap(({ metadata, rules = [] }) =>
      rules.flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => line(metadata.namespace, { group, resource }, verb)))),
      ),
    );
  const asked = KUBERNETES_ACCESS.flatMap(({ namespace, group, resource, verbs }) => verbs.map((verb) => line(namespace, { group, resource }, verb)));
  expect(granted.sort()).toEqual(asked.sort());
});

const allowed = (file: string): string[] =>
  (JSON.parse(deploy(`iam/${file}`)) as { Statement: { Effect: string; Action: string[] }[] }).Statement.flatMap(({ Action }) => Action).sort();

it('deploy/iam/migrator-policy.json allows exactly the actions that are used', () => {
  expect(allowed('migrator-policy.json')).toEqual([...MIGRATOR_ACTIONS.map(({ action }) => action), ...PROVING_ACTIONS].sort());
});

it('deploy/iam/cilium-operator-policy.json allows exactly what the operator uses', () => {
  expect(allowed('cilium-operator-policy.json')).toEqual([...OPERATOR_ACTIONS, ...OPERATOR_OPTIONAL_ACTIONS].sort());
});
