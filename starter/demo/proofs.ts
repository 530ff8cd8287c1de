import type { Stage } from './stage.js';

/** What the lab itself saw, which knows nothing of the migration: a witness from outside. */
export async function proofs(stage: Stage): Promise<{ seen: string[]; wrong: string[] }> {
  const status = await stage.lab?.status();
  if (status === undefined) return { seen: [], wrong: ['the lab does not answer'] };
  const seen: string[] = [];
  const wrong: string[] = [];
  const tell = (holds: boolean, line: string): void => void (holds ? seen : wrong).push(line);

  const alive = status.instances.filter((instance) => instance.state === 'running');
  const ready = status.nodes.filter((node) => node.ready);
  tell(status.violations.length === 0, `no node had its CNI changed while it lived (${status.violations.length} seen)`);
  tell(status.killedPods.length === 0, `no pod was killed with its node instead of being evicted (${status.killedPods.length} seen)`);
  tell(ready.length === status.nodes.length && alive.length === status.nodes.length, `${alive.length} instances run, ${ready.length} of ${status.nodes.length} nodes are Ready: no orphan instance, no node short`);
  tell(!status.nodes.some((node) => node.unschedulable), 'no node is left cordoned');
  tell(status.pods.running === status.pods.total, `${status.pods.running} of ${status.pods.total} pods run`);
  tell(!status.nodes.some((node) => node.labels['cni-plugin'] !== undefined), 'no node is left labelled cni-plugin');
  return { seen, wrong };
}
