import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { CILIATE_VERSION } from '../../../domain/version.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const text = readFileSync(`${root}docker-compose.yml`, 'utf8');

const serviceSchema = z.looseObject({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), z.object({ condition: z.enum(['service_healthy', 'service_completed_successfully']) })).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  healthcheck: z.looseObject({ test: z.array(z.string()).min(2) }).optional(),
  restart: z.string(),
});
const compose = z.looseObject({ services: z.record(z.string(), serviceSchema), volumes: z.record(z.string(), z.unknown()) }).parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);

describe('docker-compose.yml', () => {
  it('has Temporal on PostgreSQL, its UI and two workers', () => {
    expect(services.map(([name]) => name).sort()).toEqual(['namespace', 'postgresql', 'schema', 'temporal', 'ui', 'worker-1', 'worker-2']);
    expect(compose.services['worker-1']).toEqual(compose.services['worker-2']);
  });

  it.each(services)('%s pins its image', (_, { image }) => {
    expect(image).toMatch(/^[a-z0-9./-]+:\d+\.\d+(\.\d+)?$/);
  });

  it('runs the version of this package', () => {
    expect(compose.services['worker-1']?.image).toBe(`ciliate-worker:${CILIATE_VERSION}`);
  });

  it.each(services)('%s waits only for services that can be waited for', (_, { depends_on: dependsOn }) => {
    for (const [name, { condition }] of Object.entries(dependsOn)) {
      const other = compose.services[name];
      expect(other, name).toBeDefined();
      if (condition === 'service_healthy') expect(other?.healthcheck, `${name} has a health check`).toBeDefined();
      else expect(other?.restart, `${name} ends`).toBe('on-failure');
    }
  });

  it('keeps the database in a named volume, and nothing else', () => {
    expect(compose.services['postgresql']?.volumes).toEqual(['postgresql:/var/lib/postgresql/data']);
    expect(Object.keys(compose.volumes)).toEqual(['postgresql']);
  });

  it('mounts files that exist', () => {
    for (const [, { volumes }] of services) {
      for (const volume of volumes.filter((one) => one.startsWith('./'))) expect(existsSync(root + volume.split(':')[0])).toBe(true);
    }
    expect(existsSync(`${root}deploy/Dockerfile`)).toBe(true);
  });

  it('publishes nothing beyond loopback', () => {
    for (const port of services.flatMap(([, service]) => service.ports)) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('gives server, schema tool and workers what they need', () => {
    const has = (name: string): string[] => Object.keys(compose.services[name]?.environment ?? {});
    expect(has('temporal')).toEqual(expect.arrayContaining(['DB', 'DB_PORT', 'POSTGRES_SEEDS', 'POSTGRES_USER', 'POSTGRES_PWD', 'BIND_ON_IP']));
    expect(has('schema')).toEqual(expect.arrayContaining(['SQL_PLUGIN', 'SQL_HOST', 'SQL_PORT', 'SQL_USER', 'SQL_PASSWORD']));
    expect(has('worker-1')).toEqual(expect.arrayContaining(['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE']));
  });

  it('holds no password of its own', () => {
    for (const [, { environment }] of services) {
      for (const [name, value] of Object.entries(environment)) if (/PASSWORD|PWD|SECRET|TOKEN|KEYS/.test(name)) expect(value).toMatch(/^\$\{[A-Z_]+(:[?-].*)?\}$/);
    }
  });

  it('stops workers more slowly than they stop themselves', () => {
    expect(compose.services['worker-1']).toMatchObject({ stop_grace_period: '60s', read_only: true });
  });

  it('says that running it is unproven', () => {
    expect(text).toContain('UNPROVEN');
  });

  it.skipIf(!composeWorks())('is accepted by docker compose', () => {
    execFileSync('docker', ['compose', '-f', `${root}docker-compose.yml`, 'config', '--quiet'], { env: { ...process.env, POSTGRES_PASSWORD: 'x' } });
  });
});

function composeWorks(): boolean {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
