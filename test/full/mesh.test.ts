import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MeshStatus } from '../../domain/mesh/run.js';
import type { Exposure } from '../../domain/spec/mesh.js';
import type { HelmValues } from '../../domain/spec/schema.js';
import { realChart } from '../support/field.js';
import { resultRows } from '../support/fields.js';
import { killedWhile } from '../support/killing.js';
import { MeshField } from '../support/meshField.js';

const rows = resultRows('mesh', {
  title: 'Two lab clusters as a cluster mesh',
  about: ["Real Cilium charts on the lab's real API servers. No agent runs in a lab, so the best end is `unproven`: every object is as it must be."],
});
const names = ['c1', 'c2'] as const;

/** Where the worker dies: every kind of write of a connection, after the server did it and before anybody heard. */
const KILLS = [
  { name: 'the CA replaced', rule: { method: 'PUT', path: '/secrets/cilium-ca' } },
  { name: 'the ledger written', rule: { method: 'PUT', path: '/configmaps/ciliate-cni', body: 'mesh\\.json' } },
  { name: 'helm half done', rule: { method: 'POST|PATCH', path: '/services', client: '[Hh]elm' } },
] as const;

describe.each(['1.18.12', '1.20.0'])('chart %s', (version) => {
  const chart = realChart(version);
  describe.skipIf(chart === undefined)(`two migrated clusters${chart ? '' : ` (no ../shared/charts/cilium-${version}.tgz here: skipped)`}`, () => {
    let up: MeshField;
    let before: HelmValues[];
    beforeAll(async () => {
      up = await MeshField.up(version, chart ?? '');
      before = await Promise.all(names.map((name) => up.helmValues(name)));
    });
    afterAll(() => up?.down());

    const disconnect = async (expose: Exposure): Promise<void> => {
      const { code } = await up.field.ciliate('mesh', 'disconnect', '-f', up.mesh(expose), '--watch', '-o', 'json');
      expect(code).toBe(0);
      expect(await Promise.all(names.map((name) => up.helmValues(name)))).toEqual(before);
      for (const name of names) expect([await up.secret(name, 'cilium-clustermesh'), await up.secret(name, 'ciliate-mesh-ca'), await up.lease(name)]).toEqual([undefined, undefined, false]);
    };

    it('by load balancers: their names are in the certificates, and the peers are known at them', async () => {
      const hosts = { c1: 'mesh-1.elb.eu-west-1.amazonaws.com', c2: 'mesh-2.elb.eu-west-1.amazonaws.com' };
      const balanced = Promise.all(names.map((name) => up.balance(name, hosts[name])));
      const { out } = await up.field.ciliate('mesh', 'connect', '-f', up.mesh('nlb'), '--watch', '-o', 'json');
      await balanced;
      const status = JSON.parse(out) as MeshStatus;
      rows.push({ chart: version, expose: 'nlb', kill: '', outcome: status.state });
      expect([status.state, ...status.clusters.map(({ proof }) => proof?.problems)]).toEqual(['unproven', [], []]);
      expect(await up.endpoints('c1', 'cluster-2')).toEqual([`https://${hosts.c2}:2379`]);
      expect(await up.endpoints('c2', 'cluster-1')).toEqual([`https://${hosts.c1}:2379`]);
      await disconnect('nlb');
    });

    it.each(KILLS)('by node ports, the worker killed with $name', async ({ name, rule }) => {
      const { out } = await killedWhile(up.field, { lab: up.labs.c2, rule: { target: 'kubernetes', phase: 'after', ...rule } }, () =>
        up.field.ciliate('mesh', 'connect', '-f', up.mesh('nodePort'), '--watch', '-o', 'json'),
      );
      const status = JSON.parse(out) as MeshStatus;
      rows.push({ chart: version, expose: 'nodePort', kill: name, outcome: status.state });
      expect([status.state, ...status.clusters.map(({ proof }) => proof?.problems)]).toEqual(['unproven', [], []]);
      expect(await up.endpoints('c2', 'cluster-1')).toEqual(['https://cluster-1.mesh.cilium.io:32379']);
      await disconnect('nodePort');
    });
  });
});
