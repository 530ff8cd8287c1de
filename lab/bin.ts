import { labCommand, reportLabError } from './index.js';

/** The lab on its own, without the main command: `npx tsx lab/bin.ts up`. */
const command = labCommand().exitOverride();
for (const sub of command.commands) sub.exitOverride();
try {
  await command.parseAsync();
} catch (error) {
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')) {
    process.exitCode = error.message === '(outputHelp)' || String(error.code) === 'commander.helpDisplayed' ? 0 : 2;
  } else process.exitCode = reportLabError(error);
}
