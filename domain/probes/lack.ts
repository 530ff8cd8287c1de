import type { Complaint } from './answer.js';
import type { Lack } from './verdict.js';

interface About {
  kind: string;
  name?: string;
  url: string;
  timeLimitSeconds: number;
  todo: string;
}

/** What one check over HTTP lacks, for people. */
export function lackOf({ expected, seen, gist }: Complaint, { kind, name, url, timeLimitSeconds, todo }: About): Lack {
  return { object: `Probe ${kind} ${name ?? url}`, reason: `expected ${expected}, saw ${seen}`, todo, gist, limitSeconds: timeLimitSeconds };
}
