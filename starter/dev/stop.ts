export interface StopReason {
  bySignal: boolean;
  text: string;
}

/**
 * Waits for SIGINT or SIGTERM, or for `stop()`. A second signal ends the process at once with 130: whoever insists has a
 * reason.
 */
export function untilStopped(): { reason: Promise<StopReason>; stop: (why: string) => void; signal: AbortSignal } {
  const controller = new AbortController();
  let settle: (reason: StopReason) => void = () => {};
  const reason = new Promise<StopReason>((resolve) => (settle = resolve));
  let asked = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(130);
    asked = true;
    controller.abort();
    settle({ bySignal: true, text: signal });
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  return { reason, stop: (text) => settle({ bySignal: false, text }), signal: controller.signal };
}
