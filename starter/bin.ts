#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';

// Its advice is for who updates the SDK, not for an operator in the middle of a migration.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

// A worker waits most of the time: a small heap is worth more to it than fast code (about 70 MiB less resident memory). Set
// before anything is loaded, and here instead of on node's command line, so that an installed `ciliate` has it too. Other verbs are
// over in a moment: they are faster with node's own sizes.
if (['worker', 'dev'].includes(process.argv[2] ?? '')) for (const flag of ['--optimize-for-size', '--max-semi-space-size=8']) setFlagsFromString(flag);

const { main } = await import('./cli/main.js');
process.exitCode = await main(process.argv.slice(2));
