import type { Instance } from './types.js';

const blockSize = 64;

/**
 * Pod addresses as the VPC would give them: each instance owns a block in its subnet's upper part (the lower part is EC2's
 * own, for instances).
 */
export class Addresses {
  private readonly slots = new Map<string, Set<number>>();
  private readonly slotOf = new Map<string, number>();
  private readonly used = new Map<string, Map<string, string>>();

  /** The addresses that an instance may give to pods. */
  block(instance: Instance, count: number): string[] {
    const [a = 10, b = 0, third = 0] = instance.address.split('.').map(Number);
    const zone = Math.floor(third / 64);
    const slot = this.slot(instance.id, zone);
    const first = 4096 + slot * blockSize;
    return Array.from({ length: Math.min(count, blockSize - 2) }, (_, index) => {
      const offset = first + 1 + index;
      return `${String(a)}.${String(b)}.${String(zone * 64 + Math.floor(offset / 256))}.${String(offset % 256)}`;
    });
  }

  /** A free address for the pod, always the same one for the same pod; undefined when the block is full. */
  allocate(instance: Instance, podUid: string, pool: string[]): string | undefined {
    const used = this.used.get(instance.id) ?? new Map<string, string>();
    this.used.set(instance.id, used);
    for (const [address, owner] of used) if (owner === podUid) return address;
    const free = pool.find((address) => !used.has(address));
    if (free !== undefined) used.set(free, podUid);
    return free;
  }

  release(podUid: string): void {
    for (const used of this.used.values()) {
      for (const [address, owner] of used) if (owner === podUid) used.delete(address);
    }
  }

  forget(instanceId: string): void {
    const slot = this.slotOf.get(instanceId);
    this.slotOf.delete(instanceId);
    this.used.delete(instanceId);
    if (slot === undefined) return;
    for (const taken of this.slots.values()) taken.delete(slot);
  }

  private slot(instanceId: string, zone: number): number {
    const known = this.slotOf.get(instanceId);
    if (known !== undefined) return known;
    const key = String(zone);
    const taken = this.slots.get(key) ?? new Set<number>();
    this.slots.set(key, taken);
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    taken.add(slot);
    this.slotOf.set(instanceId, slot);
    return slot;
  }
}
