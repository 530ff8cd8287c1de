import { join } from 'node:path';
import { getHomeDir, loadSharedConfigFiles } from '@smithy/core/config';
import { CiliateError } from '../../domain/failures.js';
import type { AwsClients } from './types.js';

/** What decides where a client of the AWS SDK sends its calls. */
export interface EndpointSettings {
  endpoint?: string;
  ignoreConfiguredEndpointUrls?: boolean;
}

export type EndpointOf = (service: keyof AwsClients) => EndpointSettings;

/**
 * The names of the services in `services` sections; in upper case behind AWS_ENDPOINT_URL_.
 * https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html
 */
const SERVICE_KEYS: Record<keyof AwsClients, string> = { ec2: 'ec2', autoScaling: 'auto_scaling', autoScalingOnce: 'auto_scaling', eks: 'eks', iam: 'iam', sts: 'sts' };

/** The regional endpoint; and the SDK is kept from looking, since it would look at the profile of AWS_PROFILE. */
const REGIONAL: EndpointSettings = { ignoreConfiguredEndpointUrls: true };

type Section = Partial<Record<string, string>>;

/**
 * Endpoints of a profile that a cluster names. The SDK itself takes them from the profile of AWS_PROFILE only, which is the
 * same one for every cluster of the worker. In this order:
 *
 * 1. the profile's `services` section, 2. its `endpoint_url`, 3. AWS_ENDPOINT_URL_<SERVICE>, 4. AWS_ENDPOINT_URL.
 *
 * AWS documents 3, 4, 1, 2 (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html), for a process that has
 * one profile. Here a profile is named for one cluster, as an option of a call would be, and so wins over what the process has
 * for all, as its credentials do: else one variable would send one account's signed calls to the endpoint of another.
 * `ignore_configured_endpoint_urls` and AWS_IGNORE_CONFIGURED_ENDPOINT_URLS switch off all four, as documented.
 *
 * The files are read anew each time, past the SDK's cache, which is for ever; the credentials of the profile profit from it.
 *
 * @throws CiliateError Permanent `AwsProfile` where a setting of the profile makes no sense
 */
export async function profileEndpoints(profile: string): Promise<EndpointOf> {
  const { configFile, credentialsFile } = await loadSharedConfigFiles({ ignoreCache: true });
  const own: Section = { ...credentialsFile[profile], ...configFile[profile] };
  if (isIgnored(profile, own)) return () => REGIONAL;
  const services = servicesSection(profile, own, configFile);
  return (service) => {
    const key = SERVICE_KEYS[service];
    const fromProfile = services[`${key}.endpoint_url`] ?? own['endpoint_url'];
    if (fromProfile !== undefined) return { endpoint: url(fromProfile, `endpoint_url of ${describe(profile)}`) };
    const fromProcess = process.env[`AWS_ENDPOINT_URL_${key.toUpperCase()}`] || process.env['AWS_ENDPOINT_URL'];
    return fromProcess ? { endpoint: url(fromProcess, 'AWS_ENDPOINT_URL of the worker') } : REGIONAL;
  };
}

/** The shared configuration files, where the SDK looks for them. */
export function sharedConfigFiles(): string[] {
  const folder = join(getHomeDir(), '.aws');
  return [process.env['AWS_CONFIG_FILE'] || join(folder, 'config'), process.env['AWS_SHARED_CREDENTIALS_FILE'] || join(folder, 'credentials')];
}

function isIgnored(profile: string, own: Section): boolean {
  const [where, value] = process.env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']
    ? ['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS of the worker', process.env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']]
    : [`ignore_configured_endpoint_urls of ${describe(profile)}`, own['ignore_configured_endpoint_urls'] ?? 'false'];
  const lower = value.toLowerCase();
  if (lower !== 'true' && lower !== 'false') throw invalid(where, 'true or false', value);
  return lower === 'true';
}

function servicesSection(profile: string, own: Section, configFile: Record<string, Section>): Section {
  const name = own['services'];
  if (name === undefined) return {};
  const section = configFile[`services.${name}`];
  if (section === undefined) throw invalid(`services of ${describe(profile)}`, `a section [services ${name}] in the same file`, 'none');
  return section;
}

function url(value: string, where: string): string {
  if (!/^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : '')) throw invalid(where, 'a URL with scheme and host', value);
  return value;
}

function describe(profile: string): string {
  return `profile ${profile} of the shared AWS configuration`;
}

function invalid(object: string, expected: string, seen: string): CiliateError {
  return new CiliateError('Permanent', { object, expected, seen, todo: 'Correct it on the worker.' }, { code: 'AwsProfile' });
}
