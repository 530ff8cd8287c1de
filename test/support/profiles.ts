import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../lab/index.js';

/** A profile for each lab, as `aws configure` lays them out: keys in one file, everything else (the endpoint, too) in the other. */
export function writeProfiles(folder: string, labs: Record<string, Lab>): NodeJS.ProcessEnv {
  const files = { AWS_CONFIG_FILE: join(folder, 'aws-config'), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'aws-credentials') };
  const profiles = Object.entries(labs);
  writeFileSync(files.AWS_CONFIG_FILE, profiles.map(([name, lab]) => `[profile ${name}]\nregion = ${lab.region}\nendpoint_url = ${lab.awsEndpoint}\nsdk_ua_app_id = account-${name}\n`).join('\n'));
  writeFileSync(
    files.AWS_SHARED_CREDENTIALS_FILE,
    profiles.map(([name, { env }]) => `[${name}]\naws_access_key_id = ${env['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = ${env['AWS_SECRET_ACCESS_KEY']}\n`).join('\n'),
  );
  return files;
}
