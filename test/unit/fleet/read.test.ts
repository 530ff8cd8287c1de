import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mergeSpecs } from '../../../domain/fleet/merge.js';
import { readFleetFile } from '../../../starter/fleet/read.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ciliate-fleet-'));
  mkdirSync(join(folder, 'sub'));
  cluster('a.yaml', 'cluster: {kubeconfig: ./kube}\n  cilium: {version: 1.20.0}');
  cluster('sub/b.yaml', 'cluster: {kubeconfig: ./kube}\n  refresh: {maxSurge: 2}');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function cluster(file: string, spec: string): void {
  const name = file.replace(/^.*\//, '').replace('.yaml', '');
  writeFileSync(join(folder, file), `apiVersion: ciliate.io/v1alpha1\nkind: ClusterMigration\nmetadata: {name: ${name}}\nspec:\n  ${spec}\n`);
}

function fleet(spec: string): string {
  const file = join(folder, 'fleet.yaml');
  writeFileSync(file, `apiVersion: ciliate.io/v1alpha1\nkind: Fleet\nmetadata: {name: f}\nspec:\n  ${spec.split('\n').join('\n  ')}\n`);
  return file;
}

/** Message of the refusal. */
function refused(spec: string): string {
  try {
    readFleetFile(fleet(spec));
  } catch (error) {
    expect(error).toMatchObject({ code: 2 });
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  throw new Error('it was accepted');
}

describe('a FLEET file', () => {
  it('is resolved: defaults under, overrides over, paths from the file that says them, what is shared said once', () => {
    const input = readFleetFile(
      fleet(`defaults: {cilium: {version: 1.19.0, chart: "oci://charts/cilium"}, refresh: {maxSurge: 4, maxUnavailable: 0}}
clusterIds: {from: 1, to: 127}
rings:
  - {name: canary, clusters: [{file: a.yaml}], gate: true}
  - name: rest
    maxInFlight: 2
    clusters: [{file: sub/b.yaml, taskQueue: eu-private, overrides: {soakSeconds: 5}}]
failureBudget: 1
windows: [{days: [mon-fri], from: "22:00", to: "04:00", timeZone: Europe/Berlin}]`),
    );
    const { shared, rings } = input.spec;
    expect(shared).toEqual({ cilium: { chart: 'oci://charts/cilium' }, refresh: { maxUnavailable: 0 }, cluster: {} });
    const [a, b] = rings.flatMap(({ clusters }) => clusters);
    expect(mergeSpecs(shared, a?.spec ?? {})).toEqual({ cluster: { kubeconfig: join(folder, 'kube') }, cilium: { version: '1.20.0', chart: 'oci://charts/cilium' }, refresh: { maxSurge: 4, maxUnavailable: 0 } });
    expect(mergeSpecs(shared, b?.spec ?? {})).toMatchObject({ cluster: { kubeconfig: join(folder, 'sub/kube') }, cilium: { version: '1.19.0' }, refresh: { maxSurge: 2 }, soakSeconds: 5 });
    expect(b).toMatchObject({ name: 'b', taskQueue: 'eu-private' });
    expect(rings).toMatchObject([{ gate: true, maxInFlight: 1 }, { gate: false, maxInFlight: 2 }]);
  });

  it.each([
    ['an unknown key', 'ring: []', 'unknown key "ring" in spec: did you mean rings?'],
    ['no ring', 'rings: []', 'fleet.yaml:5:'],
    ['a file that is not there', 'rings: [{name: r, clusters: [{file: none.yaml}]}]', 'none.yaml: no such file'],
    ['file and select at once', 'rings: [{name: r, clusters: [{file: a.yaml, select: {tags: {a: b}, accounts: [{regions: [r]}]}}]}]', 'expected exactly one of file and select'],
    ['a cluster twice', 'rings: [{name: r, clusters: [{file: a.yaml}, {file: a.yaml}]}]', 'expected each cluster once, saw a second a'],
    ['a ring twice', 'rings: [{name: r, clusters: [{file: a.yaml}]}, {name: r, clusters: [{file: a.yaml}]}]', 'expected another name for each ring'],
    ['a gate with nothing behind it', 'rings: [{name: r, gate: true, clusters: [{file: a.yaml}]}]', 'expected no gate after the last ring'],
    ['what a selected cluster needs', 'rings: [{name: r, clusters: [{select: {tags: {a: b}, accounts: [{regions: [r]}]}}]}]', '(a selected cluster is made of spec.defaults and overrides)'],
    ['a wrong value in defaults, there', 'defaults: {refresh: {maxSurge: lots}}\nrings: [{name: r, clusters: [{file: a.yaml}]}]', 'fleet.yaml:5:34: spec.refresh.maxSurge'],
    ['a wrong key in overrides, there', 'rings: [{name: r, clusters: [{file: a.yaml, overrides: {drain: {emptydir: block}}}]}]', 'fleet.yaml:5:67: unknown key "emptydir" in spec.drain: did you mean emptyDir?'],
    ['what a file does not say, there', 'rings: [{name: r, clusters: [{file: sub/b.yaml}]}]', 'sub/b.yaml:5:3: spec.cilium is missing'],
    ['a day', 'windows: [{days: [monday], from: "22:00", to: "04:00", timeZone: UTC}]\nrings: [{name: r, clusters: [{file: a.yaml}]}]', 'expected a day such as mon'],
    ['a time zone', 'windows: [{days: [mon], from: "22:00", to: "04:00", timeZone: Mars}]\nrings: [{name: r, clusters: [{file: a.yaml}]}]', 'expected a time zone such as Europe/Berlin'],
    ['a window of no length', 'windows: [{days: [mon], from: "22:00", to: "22:00", timeZone: UTC}]\nrings: [{name: r, clusters: [{file: a.yaml}]}]', 'expected another time than from'],
    ['a key that fights', 'defaults: {cilium: {values: {agentNotReadyTaintKey: x}}}\nrings: [{name: r, clusters: [{file: a.yaml}]}]', 'fights the migration'],
  ])('is refused for %s', (_, spec, message) => expect(refused(spec)).toContain(message));

  it('is refused where two files have one id, when the fleet gives ids', () => {
    cluster('a.yaml', 'cluster: {kubeconfig: ./kube}\n  cilium: {version: 1.20.0, clusterId: 5}');
    cluster('sub/b.yaml', 'cluster: {kubeconfig: ./kube}\n  cilium: {version: 1.20.0, clusterId: 5}');
    const rings = 'rings: [{name: r, clusters: [{file: a.yaml}, {file: sub/b.yaml}]}]';
    expect(refused(`clusterIds: {from: 1, to: 9}\n${rings}`)).toContain('saw 5 in a and b');
    expect(readFleetFile(fleet(rings)).spec.rings).toHaveLength(1);
  });

  it('may be big, as long as its clusters differ little', () => {
    for (let index = 0; index < 500; index++) cluster(`c${index}.yaml`, `cluster: {eks: {name: cluster-${index}, region: eu-west-1, roleArn: "arn:aws:iam::111122223333:role/ciliate"}}\n  cilium: {version: 1.20.0, clusterName: c${index}}`);
    const files = Array.from({ length: 500 }, (_, index) => `{file: c${index}.yaml}`).join(', ');
    const input = readFleetFile(fleet(`rings: [{name: r, maxInFlight: 20, clusters: [${files}]}]`));
    expect(JSON.stringify(input).length).toBeLessThan(80_000);
  });
});
