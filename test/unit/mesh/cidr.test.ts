import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidrText, covers, isPrivate, overlaps, parseCidr, supernet } from '../../../domain/mesh/cidr.js';
import type { Cidr } from '../../../domain/mesh/cidr.js';

const at = (text: string): Cidr => parseCidr(text) as Cidr;
const cidr = fc.record({ address: fc.integer({ min: 0, max: 2 ** 32 - 1 }), bits: fc.integer({ min: 0, max: 32 }) }).map(({ address, bits }) => at(cidrText({ base: address, bits })));

describe('IPv4 networks', () => {
  it.each(['10.0.0.0/16', '0.0.0.0/0', '255.255.255.255/32'])('%s is read and written', (text) => expect(cidrText(at(text))).toBe(text));
  it('host bits are dropped', () => expect(cidrText(at('10.1.2.3/16'))).toBe('10.1.0.0/16'));
  it.each(['', '10.0.0.0', '10.0.0.256/8', '10.0.0.0/33', 'fd00::/8', '10.0.0/8'])('%j is none', (text) => expect(parseCidr(text)).toBeUndefined());

  it.each([
    [['10.0.0.0/16', '10.1.0.0/16'], '10.0.0.0/15'],
    [['10.1.0.0/16', '10.2.0.0/16'], '10.0.0.0/14'],
    [['10.0.0.0/8', '10.2.0.0/16'], '10.0.0.0/8'],
    [['10.0.0.0/8', '192.168.0.0/16'], '0.0.0.0/0'],
  ])('%j are covered by %s', (all, wide) => expect(cidrText(supernet(all.map(at)))).toBe(wide));

  it('the network that covers all covers each, and the next smaller one does not', () => {
    fc.assert(
      fc.property(fc.array(cidr, { minLength: 1, maxLength: 4 }), (all) => {
        const wide = supernet(all);
        expect(all.every((one) => covers(wide, one))).toBe(true);
        const halves = [0, 1].map((half) => ({ base: wide.base + half * 2 ** (32 - wide.bits - 1), bits: wide.bits + 1 }));
        if (wide.bits < 32) expect(halves.some((half) => all.every((one) => covers(half, one)))).toBe(false);
      }),
    );
  });

  it('overlap is mutual, and means that one covers the other', () => {
    fc.assert(
      fc.property(cidr, cidr, (one, other) => {
        expect(overlaps(one, other)).toBe(overlaps(other, one));
        const end = ({ base, bits }: Cidr): number => base + 2 ** (32 - bits) - 1;
        expect(overlaps(one, other)).toBe(one.base <= end(other) && other.base <= end(one));
      }),
    );
  });

  it('private is what no one on the internet has', () => {
    expect(['10.0.0.0/15', '172.16.0.0/12', '100.64.0.0/10', '192.168.3.0/24'].map((text) => isPrivate(at(text)))).toEqual([true, true, true, true]);
    expect(['0.0.0.0/0', '8.0.0.0/7', '172.0.0.0/8', '100.0.0.0/8'].map((text) => isPrivate(at(text)))).toEqual([false, false, false, false]);
  });
});
