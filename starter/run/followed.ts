import type { Client } from '@temporalio/client';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { screenFor } from '../view/screen.js';
import { exitCodeOf, watch } from './watch.js';

/** After a start: follows the run to its end, whose exit code it returns, or says how it can be followed. */
export async function followed(client: Client, name: string, follow: boolean | undefined): Promise<ExitCode> {
  if (follow !== true) {
    console.log(`follow it with \`ciliate status ${name} --watch\``);
    return EXIT.done;
  }
  return exitCodeOf((await watch(client, name, screenFor(process.stdout, 'table'))).state);
}
