const BINARY: Record<string, number> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 };
const DECIMAL: Record<string, number> = { n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };

/** A Kubernetes quantity as a number: `100m` is 0.1, `1Gi` is 1073741824. 0 where it is none. */
export function quantity(text: string | number | undefined): number {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(String(text ?? ''));
  if (match === null) return 0;
  const [, digits = '', unit = ''] = match;
  const factor = BINARY[unit] ?? DECIMAL[unit];
  return factor === undefined ? 0 : Number(digits) * factor;
}

/** CPUs as whole milli-CPUs, rounded up as the scheduler does. */
export function milliCpu(text: string | undefined): number {
  return Math.ceil(Number((quantity(text) * 1000).toFixed(6)));
}
