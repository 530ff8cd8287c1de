/** An IPv4 network: its first address as a number, and the length of its prefix. */
export interface Cidr {
  base: number;
  bits: number;
}

/** `10.0.0.0/16`; undefined for anything that is no IPv4 CIDR. Host bits are dropped. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text.trim());
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((octet) => octet > 255) || bits > 32) return undefined;
  return network(((a * 256 + b) * 256 + c) * 256 + d, bits);
}

export function cidrText({ base, bits }: Cidr): string {
  return `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.')}/${bits}`;
}

/** Whether every address of `inner` is one of `outer`. */
export function covers(outer: Cidr, inner: Cidr): boolean {
  return outer.bits <= inner.bits && network(inner.base, outer.bits).base === outer.base;
}

export function overlaps(one: Cidr, other: Cidr): boolean {
  return covers(one, other) || covers(other, one);
}

/** The smallest network that covers all. @throws RangeError for none */
export function supernet(all: readonly Cidr[]): Cidr {
  const [first, ...rest] = all;
  if (first === undefined) throw new RangeError('expected at least one network');
  let { bits } = first;
  while (!rest.every((other) => covers(network(first.base, bits), other))) bits--;
  return network(first.base, bits);
}

/** Ranges that no one on the internet has: RFC 1918, and RFC 6598, which EKS allows for pods. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].map((text) => parseCidr(text) as Cidr);

export function isPrivate(cidr: Cidr): boolean {
  return PRIVATE.some((range) => covers(range, cidr));
}

function network(address: number, bits: number): Cidr {
  const size = 2 ** (32 - bits);
  return { base: Math.floor(address / size) * size, bits };
}
