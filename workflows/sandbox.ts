/**
 * Evaluated once, before any workflow (worker/bundle.ts). The SDK takes a stack trace of every promise, each frame looked up in the source
 * map: with V8's usual ten frames that is a third of all that a workflow task costs (docs/adr/0011). Temporal's "Call stack" and the traces
 * of failures show the innermost ones.
 */
Error.stackTraceLimit = 5;

export {};
