import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { CILIATE_VERSION } from '../../domain/version.js';
import type { CommandFile } from './command.js';

const EXIT_CODES = `
Exit codes: 0 done; 1 failed, blocked, partial or blockers found; 2 bad usage or SPEC; 3 something cannot be reached.
Temporal is found as by its own CLI: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TLS, TEMPORAL_API_KEY or a profile.
`;

/** The `ciliate` command with every file of starter/commands/ as a subcommand. */
export async function buildProgram(): Promise<Command> {
  const program = new Command('ciliate')
    .description('Moves running AWS EKS clusters from the AWS VPC CNI to Cilium: node by node, durably, on Temporal')
    .version(CILIATE_VERSION, '-V, --version')
    .showSuggestionAfterError(true)
    .showHelpAfterError('(see --help)')
    .enablePositionalOptions()
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  for (const { build } of await commandFiles()) {
    const command = build().exitOverride().showSuggestionAfterError(true).showHelpAfterError(`(see ciliate ${build().name()} --help)`);
    program.addCommand(command);
  }
  return program;
}

async function commandFiles(): Promise<CommandFile[]> {
  const folder = new URL('../commands/', import.meta.url);
  const names = readdirSync(fileURLToPath(folder)).filter((name) => /^[a-z-]+\.(js|ts)$/.test(name) && !name.endsWith('.d.ts'));
  const files = await Promise.all(names.map(async (name) => (await import(new URL(name, folder).href)) as { default: CommandFile }));
  return files.map((file) => file.default).sort((one, other) => one.place - other.place);
}
