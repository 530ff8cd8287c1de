import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../domain/names.js';
import { startTemporal } from '../../starter/temporal/server.js';
import type { TemporalServer } from '../../starter/temporal/server.js';
import { EncryptionCodec, parseKeys } from '../../worker/codec.js';
import { registerSearchAttributes } from '../../worker/search-attributes.js';
import { bundleWorkflows } from '../support/bundle.js';
import type { OperatorConnection } from '../../worker/search-attributes.js';

const folder = mkdtempSync(join(tmpdir(), 'ciliate-worker-test-'));
const dbFile = join(folder, 'temporal.db');

describe("Temporal's dev server", () => {
  let server: TemporalServer;
  beforeAll(async () => {
    server = await startTemporal({ dbFile });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is bare at first, then has every search attribute, and keeps them', async () => {
    const connection = await NativeConnection.connect({ address: server.address });
    try {
      const first = await registerSearchAttributes(connection, 'default');
      expect(first).toMatchObject({ registered: true, said: expect.stringContaining('CiliateNeedsApproval') as string });
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
      expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTES)));
      expect(await registerSearchAttributes(connection, 'default')).toEqual({ registered: true, said: 'search attributes are registered' });
    } finally {
      await connection.close();
    }
  });

  it('goes on with its runs after kill -9 and a start on the same ports', async () => {
    const before = await Connection.connect({ address: server.address });
    await new Client({ connection: before }).workflow.start('nobody', { taskQueue: 'nobody', workflowId: 'survivor' });
    await before.close();

    const { port, uiPort } = server;
    await server.kill();
    server = await startTemporal({ dbFile, ports: { grpc: port, ui: uiPort } });

    expect(server.port).toBe(port);
    const after = await Connection.connect({ address: server.address });
    const { status } = await new Client({ connection: after }).workflow.getHandle('survivor').describe();
    expect(status.name).toBe('RUNNING');
    await after.close();
  });

  it('says which port is taken, for what, and how to choose another', async () => {
    await expect(startTemporal({ ports: { grpc: server.port } })).rejects.toMatchObject({
      code: 2,
      message: `port ${server.port} for Temporal is taken: stop what listens there, or choose another with --port PORT (0: any free one)`,
    });
  });
});

describe('a worker that may not register search attributes', () => {
  const refusing = (operatorService: object): OperatorConnection => ({ operatorService }) as unknown as OperatorConnection;
  const denied = (): Promise<never> => Promise.reject(new Error('7 PERMISSION_DENIED: Request unauthorized.'));

  it('runs without them and says so, when listing is refused', async () => {
    const { registered, said } = await registerSearchAttributes(refusing({ listSearchAttributes: denied }), 'default');
    expect(registered).toBe(false);
    expect(said).toMatch(/^running without search attributes: Temporal refused.*PERMISSION_DENIED.*docs\/temporal\.md/);
  });

  it('runs without them and says so, when adding is refused', async () => {
    const empty = (): Promise<object> => Promise.resolve({ customAttributes: {} });
    const { registered, said } = await registerSearchAttributes(refusing({ listSearchAttributes: empty, addSearchAttributes: denied }), 'default');
    expect(registered).toBe(false);
    expect(said).toContain('running without search attributes');
  });

  it('runs without them when a name is taken by another type', async () => {
    const other = (): Promise<object> => Promise.resolve({ customAttributes: { CiliateCluster: 1 } });
    const { registered, said } = await registerSearchAttributes(refusing({ listSearchAttributes: other }), 'default');
    expect(registered).toBe(false);
    expect(said).toContain('CiliateCluster: expected type KEYWORD');
  });
});

describe('the encryption codec', () => {
  const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
  const payload: Payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"cluster":"prod-eu-1"}') };
  const text = (payloads: Payload[]): string => Buffer.from(payloads[0]?.data ?? []).toString('latin1');

  it('gives back what it was given, and shows nothing of it in between', async () => {
    const codec = new EncryptionCodec(parseKeys(key('a')));
    const encoded = await codec.encode([payload]);
    expect(text(encoded)).not.toContain('prod-eu-1');
    const [decoded] = await codec.decode(encoded);
    expect(Buffer.from(decoded?.data ?? []).toString()).toBe('{"cluster":"prod-eu-1"}');
    expect(Buffer.from(decoded?.metadata?.['encoding'] ?? []).toString()).toBe('json/plain');
  });

  it('reads what an older key wrote', async () => {
    const [old, young] = [key('old'), key('young')];
    const encoded = await new EncryptionCodec(parseKeys(old)).encode([payload]);
    expect(text(await new EncryptionCodec(parseKeys(`${young},${old}`)).decode(encoded))).toContain('prod-eu-1');
  });

  it('lets what is not encrypted pass: a run from before the key goes on', async () => {
    expect(await new EncryptionCodec(parseKeys(key('a'))).decode([payload])).toEqual([payload]);
  });

  it('refuses what was changed under way, and names a key that is missing', async () => {
    const codec = new EncryptionCodec(parseKeys(key('a')));
    const [encoded] = await codec.encode([payload]);
    const data = Buffer.from(encoded?.data ?? []);
    data[20] = (data[20] ?? 0) ^ 1;
    await expect(codec.decode([{ ...encoded, data }])).rejects.toThrow();
    await expect(new EncryptionCodec(parseKeys(key('b'))).decode([encoded ?? {}])).rejects.toThrow(/expected the key "a".*saw b/);
  });

  it('says what is wrong with a key, and never the key', () => {
    expect(() => parseKeys('a:c2hvcnQ=')).toThrow('CILIATE_CODEC_KEYS: expected entry 1 as id:key with a key of 32 bytes in base64, saw 5 bytes');
    expect(() => parseKeys('c2hvcnQ=')).toThrow(/^((?!c2hvcnQ).)*$/);
  });
});

describe('the bundle of the workflows', () => {
  it('has no validation library in it: every workflow that a worker holds would evaluate its own', async () => {
    const code = readFileSync((await bundleWorkflows()).codePath, 'utf8');
    const modules = [...code.matchAll(/!\*\*\* (\S+)/g)].map(([, path]) => path ?? '');
    expect(modules.some((path) => path.includes('node_modules/@temporalio/workflow/'))).toBe(true);
    expect(modules.filter((path) => /node_modules\/(zod|luxon|yaml)\//.test(path))).toEqual([]);
  });
});
