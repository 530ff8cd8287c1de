import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { awsClients } from '../../../activities/clients/aws.js';
import { EksToken } from '../../../activities/clients/eks.js';
import { profileEndpoints } from '../../../activities/clients/endpoints.js';
import { ClientPool } from '../../../activities/clients/index.js';
import { scratchFolder } from '../../support/scratch.js';

const folder = scratchFolder();
const configFile = join(folder, 'config');
const credentialsFile = join(folder, 'credentials');
const servers: Server[] = [];

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^AWS_(?!SDK_JS)/.test(name)) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', configFile);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', credentialsFile);
  writeFileSync(credentialsFile, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close();
});

const EVERYWHERE = 'endpoint_url = http://profile:1\n';
const SERVICES = '[services dev]\nec2 =\n  endpoint_url = http://ec2:1\nauto_scaling =\n  endpoint_url = http://auto-scaling:1\n';

async function endpoints(profile: string, config: string): Promise<Record<string, string | undefined>> {
  writeFileSync(configFile, config);
  const endpointOf = await profileEndpoints(profile);
  return { ec2: endpointOf('ec2').endpoint, autoScaling: endpointOf('autoScaling').endpoint, sts: endpointOf('sts').endpoint };
}

const all = (url: string | undefined) => ({ ec2: url, autoScaling: url, sts: url });

describe('endpoints of a profile that a cluster names', () => {
  it("are its endpoint_url, and for single services what its services section says", async () => {
    expect(await endpoints('a', `[profile a]\n${EVERYWHERE}`)).toEqual(all('http://profile:1'));
    expect(await endpoints('a', `[profile a]\nservices = dev\n${EVERYWHERE}${SERVICES}`)).toEqual({ ...all('http://profile:1'), ec2: 'http://ec2:1', autoScaling: 'http://auto-scaling:1' });
    expect(await endpoints('default', `[default]\n${EVERYWHERE}`)).toEqual(all('http://profile:1'));
  });

  it('may stand in the credentials file; the configuration file wins', async () => {
    writeFileSync(credentialsFile, '[a]\nendpoint_url = http://credentials:1\n');
    expect(await endpoints('a', '[profile a]\nregion = eu-west-1\n')).toEqual(all('http://credentials:1'));
    expect(await endpoints('a', `[profile a]\n${EVERYWHERE}`)).toEqual(all('http://profile:1'));
  });

  it('win over the variables of the process; where the profile says nothing, those count, the one of the service first', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://process:1');
    vi.stubEnv('AWS_ENDPOINT_URL_AUTO_SCALING', 'http://process-as:1');
    expect(await endpoints('a', `[profile a]\n${EVERYWHERE}`)).toEqual(all('http://profile:1'));
    expect(await endpoints('a', '[profile a]\nregion = eu-west-1\n')).toEqual({ ...all('http://process:1'), autoScaling: 'http://process-as:1' });
    expect(await endpoints('a', `[profile a]\nservices = dev\n${SERVICES}`)).toEqual({ ec2: 'http://ec2:1', autoScaling: 'http://auto-scaling:1', sts: 'http://process:1' });
  });

  it('are ignored, those of the process too, where process or profile says so', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://process:1');
    expect(await endpoints('a', `[profile a]\nignore_configured_endpoint_urls = true\n${EVERYWHERE}`)).toEqual(all(undefined));
    vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'true');
    expect(await endpoints('a', `[profile a]\n${EVERYWHERE}`)).toEqual(all(undefined));
    vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'false');
    expect(await endpoints('a', `[profile a]\nignore_configured_endpoint_urls = true\n${EVERYWHERE}`)).toEqual(all('http://profile:1'));
  });

  it('say what is wrong with them', async () => {
    await expect(endpoints('a', '[profile a]\nservices = dev\n')).rejects.toThrow('services of profile a of the shared AWS configuration: expected a section [services dev] in the same file, saw none.');
    await expect(endpoints('a', '[profile a]\nendpoint_url = localhost:4566\n')).rejects.toThrow(/expected a URL with scheme and host, saw localhost:4566/);
    await expect(endpoints('a', '[profile a]\nignore_configured_endpoint_urls = yes\n')).rejects.toThrow(/expected true or false, saw yes/);
  });
});

interface Seen {
  action: string;
  keyId: string;
  headers: IncomingHttpHeaders;
}

/** Answers as STS and Auto Scaling do, and writes down who asked for what. */
function standIn(): { url: string; seen: Seen[] } {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const action = new URLSearchParams(body).get('Action') ?? '';
      seen.push({ action, keyId: /Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '', headers: request.headers });
      const inner =
        action === 'AssumeRole'
          ? '<Credentials><AccessKeyId>ASSUMED</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>'
          : '<Account>1</Account>';
      response.setHeader('content-type', 'text/xml').end(`<${action}Response><${action}Result>${inner}</${action}Result></${action}Response>`);
    });
  });
  servers.push(server.listen(0));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const REGION = 'eu-west-1';
const keys = (id: string): string => `aws_access_key_id = ${id}\naws_secret_access_key = s\n`;
const asked = (seen: Seen[]) => seen.map(({ action, keyId }) => `${action} by ${keyId}`);

describe('clients of two profiles in one process', () => {
  it('go each to its own endpoint with its own keys, whatever AWS_PROFILE and AWS_ENDPOINT_URL are', async () => {
    const [a, b, wrong] = [standIn(), standIn(), standIn()];
    writeFileSync(configFile, `[default]\nendpoint_url = ${wrong.url}\n[profile a]\n${keys('A')}endpoint_url = ${a.url}\n[profile b]\n${keys('B')}endpoint_url = ${b.url}\n`);
    vi.stubEnv('AWS_ENDPOINT_URL', wrong.url);
    vi.stubEnv('AWS_PROFILE', 'a');
    const [clientsA, clientsB] = await Promise.all([awsClients({ region: REGION, profile: 'a' }), awsClients({ region: REGION, profile: 'b' })]);
    await Promise.all([clientsA, clientsB].flatMap(({ sts, autoScaling }) => [sts.send(new GetCallerIdentityCommand({})), autoScaling.send(new DescribeAutoScalingGroupsCommand({}))]));
    expect(asked(a.seen).sort()).toEqual(['DescribeAutoScalingGroups by A', 'GetCallerIdentity by A']);
    expect(asked(b.seen).sort()).toEqual(['DescribeAutoScalingGroups by B', 'GetCallerIdentity by B']);
    expect(wrong.seen).toEqual([]);
  });

  it('never take the endpoint of AWS_PROFILE for a profile that has none', async () => {
    writeFileSync(configFile, `[profile a]\n${keys('A')}endpoint_url = http://a:1\n[profile b]\n${keys('B')}`);
    vi.stubEnv('AWS_PROFILE', 'a');
    const { sts } = await awsClients({ region: REGION, profile: 'b' });
    const token = await new EksToken(sts, 'prod').get();
    expect(new URL(Buffer.from(token.replace(/^k8s-aws-v1\./, ''), 'base64url').toString()).host).toBe('sts.eu-west-1.amazonaws.com');
  });

  it('assume roles at the STS of the profile: the role of the cluster, and a role_arn of the profile', async () => {
    const [sts, autoScaling] = [standIn(), standIn()];
    const services = `[services dev]\nsts =\n  endpoint_url = ${sts.url}\nauto_scaling =\n  endpoint_url = ${autoScaling.url}\n`;
    const ROLE = 'arn:aws:iam::111122223333:role/ciliate';
    writeFileSync(configFile, `[profile a]\n${keys('A')}services = dev\n[profile chained]\nrole_arn = ${ROLE}\nsource_profile = a\nservices = dev\n${services}`);
    const direct = await awsClients({ region: REGION, profile: 'a', roleArn: ROLE });
    await direct.autoScaling.send(new DescribeAutoScalingGroupsCommand({}));
    const chained = await awsClients({ region: REGION, profile: 'chained' });
    await chained.autoScaling.send(new DescribeAutoScalingGroupsCommand({}));
    expect(asked(sts.seen)).toEqual(['AssumeRole by A', 'AssumeRole by A']);
    expect(asked(autoScaling.seen)).toEqual(['DescribeAutoScalingGroups by ASSUMED', 'DescribeAutoScalingGroups by ASSUMED']);
  });

  it('are built anew when a shared file changes, with what it says then', async () => {
    const [before, after] = [standIn(), standIn()];
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, JSON.stringify({ clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }], users: [{ name: 'u', user: {} }], contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], 'current-context': 'x' }));
    const profile = (url: string, id: string) => writeFileSync(configFile, `[profile a]\n${keys(id)}endpoint_url = ${url}\n`);
    profile(before.url, 'OLD');
    const pool = new ClientPool();
    const ref = { kubeconfig, region: REGION, aws: { profile: 'a' } };
    const first = await pool.for(ref);
    await first.aws.sts.send(new GetCallerIdentityCommand({}));
    expect(await pool.for(ref)).toBe(first);
    profile(after.url, 'NEW');
    utimesSync(configFile, new Date(), new Date(Date.now() + 5_000));
    await (await pool.for(ref)).aws.sts.send(new GetCallerIdentityCommand({}));
    expect([asked(before.seen), asked(after.seen)]).toEqual([['GetCallerIdentity by OLD'], ['GetCallerIdentity by NEW']]);
  });
});
