#!/usr/bin/env node
/**
 * A helm of a few lines for tests: releases live in $FAKE_HELM/releases.json as [{revision, status, chart, description, values}].
 * $FAKE_HELM/slow: it hangs after it has written the pending revision, and says so by $FAKE_HELM/pid. $FAKE_HELM/fail: what it says
 * on stderr before it fails. Every call is appended to $FAKE_HELM/calls.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

const state = process.env.FAKE_HELM;
const [verb, ...args] = process.argv.slice(2);
const flag = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const file = (name) => `${state}/${name}`;
const releases = () => (existsSync(file('releases.json')) ? JSON.parse(readFileSync(file('releases.json'), 'utf8')) : []);
const save = (all) => writeFileSync(file('releases.json'), JSON.stringify(all));
const fail = (text) => {
  console.error(`Error: ${text}`);
  process.exit(1);
};

appendFileSync(file('calls'), `${verb} ${process.env.KUBECONFIG ?? ''}\n`);
if (existsSync(file('fail'))) fail(readFileSync(file('fail'), 'utf8'));

const hang = () => {
  if (!existsSync(file('slow'))) return;
  writeFileSync(file('pid'), String(process.pid));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
};

switch (verb) {
  case 'version':
    console.log('v9.9.9');
    break;
  case 'history':
    if (releases().length === 0) fail('release: not found');
    console.log(JSON.stringify(releases().map((one) => ({ ...one, values: undefined, updated: 'now', app_version: '' }))));
    break;
  case 'get':
    console.log(JSON.stringify(releases().find(({ revision }) => String(revision) === flag('--revision'))?.values ?? null));
    break;
  case 'upgrade': {
    const all = releases();
    if (all.at(-1)?.status.startsWith('pending-')) fail('another operation (install/upgrade/rollback) is in progress');
    const revision = (all.at(-1)?.revision ?? 0) + 1;
    const values = JSON.parse(readFileSync(flag('--values'), 'utf8'));
    const made = { revision, chart: 'cilium-1.20.0', values };
    save([...all, { ...made, status: all.length === 0 ? 'pending-install' : 'pending-upgrade', description: 'Initial install underway' }]);
    hang();
    save([...all.map((old) => ({ ...old, status: 'superseded' })), { ...made, status: 'deployed', description: flag('--description') }]);
    break;
  }
  case 'uninstall': {
    const all = releases();
    if (all.length === 0) fail('uninstall: Release not loaded: cilium: release: not found');
    save(all.map((old, index) => (index === all.length - 1 ? { ...old, status: 'uninstalling', description: 'Deletion in progress' } : old)));
    hang();
    save([]);
    break;
  }
  default:
    fail(`unknown command ${verb}`);
}
