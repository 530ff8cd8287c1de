/**
 * What the guards ledger says of instances that were launched while nodes of one pool are replaced side by side. Each node takes the
 * first that is ready, as long as it is younger than its own end and nobody else's.
 */
export interface Spoken {
  /** Replacements that were found, with the instance that each replaces. */
  claimed: ReadonlyMap<string, string>;
  /** What a node left for a younger one, {@link freedBy}: anybody's, even of a node that went later. */
  freed: ReadonlySet<string>;
}

export interface Launched {
  id: string;
  /** Milliseconds since 1970; EC2 says whole seconds. */
  at: number;
}

/** Instances that are not this one's replacement, of those that were there when it went and of those that others have. */
export function ruledOut(instanceId: string, instancesBefore: readonly string[], { claimed, freed }: Spoken): string[] {
  const others = [...claimed].filter(([, by]) => by !== instanceId).map(([id]) => id);
  return [...instancesBefore.filter((id) => !freed.has(id) && claimed.get(id) !== instanceId), instanceId, ...others];
}

/** The one that it has already, where the answer to its claim was lost; else all. */
export function ownFirst<T extends { InstanceId?: string | undefined }>(instanceId: string, candidates: T[], { claimed }: Spoken): T[] {
  const own = candidates.filter(({ InstanceId = '' }) => claimed.get(InstanceId) === instanceId);
  return own.length > 0 ? own : candidates;
}

/**
 * What a node could have taken and left: with the younger one it takes what was launched for another, so the older ones are free for
 * that other, whose own end they may be older than. Else it would wait for ever.
 */
export function freedBy(taken: string, candidates: readonly Launched[], { freed }: Spoken): string[] {
  const at = candidates.find(({ id }) => id === taken)?.at ?? -Infinity;
  return candidates.flatMap((each) => (each.id !== taken && each.at <= at && !freed.has(each.id) ? [each.id] : []));
}
