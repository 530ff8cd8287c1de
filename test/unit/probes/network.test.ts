import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1Node } from '@kubernetes/client-node';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { isServer, jobName, PARTS, probeJob } from '../../../activities/probes/network/jobs.js';
import type { Part } from '../../../activities/probes/network/jobs.js';
import { ASK } from '../../../activities/probes/network/script.js';
import { keysOf, lacksOf, parseResults } from '../../../domain/probes/networkChecks.js';
import { probesSchema } from '../../../domain/spec/probes.js';

const ends = { old: 'ip-old', new: 'ip-new' };
const spec = probesSchema.parse({ network: { egress: ['example.com:443'], imagePullSecrets: ['mirror'] } }).network;
if (spec === undefined) throw new Error('no spec');

describe('what the pods say', () => {
  it('is read line by line; a check without a result lacks too', () => {
    const message = 'ok pods\nfailed dns ** server can\'t find it\nrubbish\nok egress=example.com:443\n';
    const lacks = lacksOf(parseResults(message), { side: 'old', ends, egress: ['example.com:443'], limitSeconds: 9 });
    expect(lacks.map(({ object, reason }) => `${object}: ${reason}`)).toEqual([
      "Probe network: DNS on the old node ip-old: expected an address for kubernetes.default.svc, saw ** server can't find it",
      'Probe network: API server on the old node ip-old: expected an answer from the service kubernetes, saw no result',
    ]);
  });

  it('names both nodes of a path, and which way', () => {
    const of = (side: 'old' | 'new') => lacksOf([], { side, ends, egress: [], limitSeconds: 9 })[0];
    expect(of('old')).toMatchObject({ object: 'Probe network: pod traffic old-to-new', reason: 'expected 64 KiB from a pod on ip-new to a pod on ip-old, saw no result' });
    expect(of('new')).toMatchObject({ object: 'Probe network: pod traffic new-to-old', reason: 'expected 64 KiB from a pod on ip-old to a pod on ip-new, saw no result' });
    expect(keysOf({ ...ends, old: null }, ['a:1'])).toEqual(['dns', 'api', 'egress=a:1']);
  });

  it('holds only where every check was made and is ok, whatever else is said', () => {
    const keys = keysOf(ends, ['a:1']);
    fc.assert(
      fc.property(fc.subarray(keys), fc.array(fc.string({ unit: fc.constantFrom('a', ' ', 'o', 'k', 'f') })), (ok, noise) => {
        const message = [...noise.map((line) => `- ${line}`), ...ok.map((key) => `ok ${key}`)].join('\n');
        expect(lacksOf(parseResults(message), { side: 'new', ends, egress: ['a:1'], limitSeconds: 1 })).toHaveLength(keys.length - ok.length);
      }),
    );
  });
});

describe('the Jobs', () => {
  const on: V1Node = { metadata: { name: 'ip-new' }, spec: { taints: [{ key: 'team', value: 'shop', effect: 'NoSchedule' }, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }, { key: 'node.cilium.io/agent-not-ready', value: 'true', effect: 'NoExecute' }] } };
  const job = (part: Part) => probeJob({ spec, uid: 'uid-1', part, on, oldNode: 'ip-old', before: '', peer: '10.0.0.9' });

  it('have names made of the node\'s UID, and go by themselves', () => {
    const names = PARTS.map((part) => jobName('8c1e0b5e-5f0c-4a63-9d3c-0a7b8f5d4c21', part));
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^ciliate-probe-[0-9a-f]{12}-(serve|ask)-(new|old)$/);
    for (const part of PARTS) expect(job(part).spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: expect.any(Number) as number, ttlSecondsAfterFinished: 600 });
  });

  it('keep to the restricted Pod Security Standard', () => {
    for (const part of PARTS) {
      const pod = job(part).spec?.template.spec;
      expect(pod).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }, imagePullSecrets: [{ name: 'mirror' }] });
      expect(pod?.containers[0]).toMatchObject({ image: 'busybox:1.37', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } });
      expect(pod?.hostNetwork ?? pod?.volumes).toBeUndefined();
    }
  });

  it('go to their node alone, past taints of its own, never past a cordon or a missing agent', () => {
    const pod = job('ask-new').spec?.template.spec;
    expect(pod?.tolerations).toEqual([{ key: 'team', effect: 'NoSchedule', operator: 'Equal', value: 'shop' }]);
    expect(JSON.stringify(pod?.affinity)).toContain('"matchFields":[{"key":"metadata.name","operator":"In","values":["ip-new"]}]');
    expect(pod?.nodeName).toBeUndefined();
  });

  it('ask with what the environment says, so that nothing is quoted into a script', () => {
    for (const part of PARTS.filter((each) => !isServer(each))) {
      const [container] = job(part).spec?.template.spec?.containers ?? [];
      expect(container?.env).toEqual([{ name: 'PEER', value: '10.0.0.9' }, { name: 'TIMEOUT', value: '5' }, { name: 'EGRESS', value: 'example.com:443' }]);
      expect(container?.command?.[2]).not.toContain('10.0.0.9');
    }
  });
});

describe('the script, in this machine\'s shell with tools that say what they are told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ciliate-probe-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Tools of busybox as far as the script sees them. */
  function run(tools: Record<string, string>, env: Record<string, string>): { message: string; code: number } {
    for (const [name, body] of Object.entries(tools)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const result = join(folder, 'result');
    rmSync(result, { force: true });
    writeFileSync(join(folder, 'resolv.conf'), 'search shop.svc.corp.example svc.corp.example corp.example\nnameserver 10.0.0.10\n');
    const full = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, RESULT: result, RESOLV: join(folder, 'resolv.conf'), TIMEOUT: '2', EGRESS: '', KUBERNETES_SERVICE_HOST: '10.1.0.1', KUBERNETES_SERVICE_PORT: '443', ...env };
    let code = 0;
    try {
      execFileSync('sh', ['-c', ASK], { env: full, stdio: 'pipe' });
    } catch (error) {
      code = (error as { status: number }).status;
    }
    return { message: readFileSync(result, 'utf8'), code };
  }
  const good = {
    wget: 'case "$*" in *10.0.0.9:8080/bytes*) head -c 65536 /dev/zero ;; *https://10.1.0.1:443/readyz*) : ;; *) exit 1 ;; esac',
    nslookup: '[ "$1" = kubernetes.default.svc.corp.example ]',
    nc: '[ "$3" = example.com ] && [ "$4" = 443 ]',
  };

  it('makes every check and says ok to each', () => {
    const { message, code } = run(good, { PEER: '10.0.0.9', EGRESS: 'example.com:443' });
    expect(message).toBe('ok pods\nok dns\nok api\nok egress=example.com:443\n');
    expect(code).toBe(0);
  });

  it('asks no peer where there is none', () => {
    expect(run(good, { PEER: '' })).toEqual({ message: 'ok dns\nok api\n', code: 0 });
  });

  it('names each check that failed with the tool\'s own words, and makes the others still', () => {
    const bad = {
      wget: 'case "$*" in *bytes*) head -c 1400 /dev/zero; exit 1 ;; *) echo "wget: server returned error: HTTP/1.1 401 Unauthorized" >&2; exit 1 ;; esac',
      nslookup: 'echo "** server can\'t find $1: NXDOMAIN"; exit 1',
      nc: 'echo "nc: timed out" >&2; exit 1',
    };
    const { message, code } = run(bad, { PEER: '10.0.0.9', EGRESS: 'example.com:443 other.example.com:80' });
    expect(code).toBe(1);
    expect(parseResults(message)).toEqual([
      { key: 'pods', ok: false, said: '1400 of 65536 bytes' },
      { key: 'dns', ok: false, said: "** server can't find kubernetes.default.svc.corp.example: NXDOMAIN" },
      // It was reached; that it wants to know who asks is no matter of the network.
      { key: 'api', ok: true, said: '' },
      { key: 'egress=example.com:443', ok: false, said: 'nc: timed out no connection within 2 s' },
      { key: 'egress=other.example.com:80', ok: false, said: 'nc: timed out no connection within 2 s' },
    ]);
  });
});
