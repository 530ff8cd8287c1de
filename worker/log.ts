import { destination, pino, stdTimeFunctions } from 'pino';
import type { Logger } from '@temporalio/worker';
import type { LogLevel } from '@temporalio/common';

export type PinoLogger = ReturnType<typeof createLogger>;

/** JSON lines on stderr (stdout belongs to the command); CILIATE_LOG sets the level, `info` by default. */
export function createLogger(level: string = process.env['CILIATE_LOG'] ?? 'info') {
  return pino({ level, base: { app: 'ciliate' }, timestamp: stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } }, destination(2));
}

/** Temporal's logger on top of pino. Payloads are never logged, only what the SDK passes as metadata. */
export function temporalLogger(log: PinoLogger): Logger {
  const write = (level: LogLevel, message: string, meta: object = {}): void => {
    const bound = meta as Record<string, unknown>;
    log[PINO_LEVEL[level]](withoutSymbols(bound), message);
  };
  return {
    log: write,
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
}

const PINO_LEVEL = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

function withoutSymbols(meta: Record<string, unknown>): Record<string, unknown> {
  const { error, ...rest } = meta;
  return error === undefined ? rest : { ...rest, err: error };
}
