#!/usr/bin/env node
import { main } from './cli/main.js';

// Its advice is for who updates the SDK, not for an operator in the middle of a migration.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
process.exitCode = await main(process.argv.slice(2));
