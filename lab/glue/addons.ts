import { pathOf } from '../cluster/apply.js';
import { awsNodeObjects } from '../cluster/awsnode.js';
import { isStatus } from '../cluster/client.js';
import type { ApiError, KubeObject } from '../cluster/client.js';
import { labCall } from './world.js';
import type { Glue } from './glue.js';
import type { AddonJob } from './types.js';

type Tree = { [key: string]: unknown };

/** Carries EKS's decisions about the vpc-cni add-on into the cluster, by server-side apply as `eks`. */
export class AddonApplier {
  constructor(private readonly glue: Glue) {}

  step(): void {
    const job = this.glue.world.aws.jobs[0];
    if (job === undefined) return;
    this.glue.work.once(`addon/${job.id}`, async () => {
      const error = await this.carryOut(job);
      await labCall(this.glue.awsPort, 'addon-done', { id: job.id, ...(error === undefined ? {} : { error }) });
      this.glue.log(`add-on ${job.addon}: ${job.action} ${error ?? 'done'}`);
    });
  }

  /** @returns what EKS would show as the failure, if it fails. */
  private async carryOut(job: AddonJob): Promise<string | undefined> {
    const objects = awsNodeObjects({ version: job.version, configuration: job.values, role: job.role, clusterName: this.glue.clusterName, region: this.glue.options.region });
    if (job.action === 'release') {
      for (const object of objects) await this.release(object);
      return undefined;
    }
    if (job.action === 'delete') {
      for (const object of [...objects].reverse()) await this.glue.client.remove(pathOf(object));
      return undefined;
    }
    for (const object of objects) {
      const error = await this.apply(object, job.conflicts);
      if (error !== undefined) return error;
    }
    return undefined;
  }

  private async apply(object: KubeObject, conflicts: AddonJob['conflicts']): Promise<string | undefined> {
    const path = pathOf(object);
    try {
      await this.glue.client.apply(path, object, { manager: 'eks', force: conflicts === 'OVERWRITE' });
      return undefined;
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      const fields = conflictingFields(error);
      if (conflicts === 'NONE') {
        return `Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. Conflicts: ${object.kind ?? ''} ${object.metadata.name} - ${fields.join(', ')}`;
      }
      // PRESERVE: whoever owns the field keeps it; everything else is EKS's.
      const kept = structuredClone(object) as KubeObject & Tree;
      for (const field of fields) removeField(kept, field);
      await this.glue.client.apply(path, kept, { manager: 'eks', force: false });
      return undefined;
    }
  }

  /** `preserve`: the software stays and nobody owns its fields any more. */
  private async release(object: KubeObject): Promise<void> {
    const path = pathOf(object);
    try {
      const live = await this.glue.client.get<KubeObject & { metadata: { managedFields?: { manager: string }[] } }>(path);
      const managed = (live.metadata.managedFields ?? []).filter((entry) => entry.manager !== 'eks');
      await this.glue.client.jsonPatch(path, [{ op: 'replace', path: '/metadata/managedFields', value: managed.length > 0 ? managed : [{}] }]);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }
}

function conflictingFields(error: ApiError): string[] {
  return (error.body.details?.causes ?? []).map((cause) => cause.field ?? '').filter((field) => field !== '');
}

/** Removes what a server-side-apply conflict names: `.spec.template.spec.containers[name="aws-node"].env[name="X"].value`. */
export function removeField(object: Tree, field: string): void {
  const steps = [...field.matchAll(/\.([A-Za-z0-9_/-]+)|\[([^\]]+)\]/g)].map((match) => match[1] ?? `[${match[2] ?? ''}`);
  const last = steps.pop();
  let at: unknown = object;
  for (const step of steps) at = descend(at, step);
  if (last === undefined || at === undefined || at === null) return;
  if (last.startsWith('[')) {
    if (!Array.isArray(at)) return;
    const found: unknown = descend(at, last);
    const index = at.indexOf(found);
    if (index >= 0) at.splice(index, 1);
  } else delete (at as Tree)[last];
}

function descend(at: unknown, step: string): unknown {
  if (typeof at !== 'object' || at === null) return undefined;
  if (!step.startsWith('[')) return (at as Tree)[step];
  if (!Array.isArray(at)) return undefined;
  const keys = [...step.matchAll(/([A-Za-z]+)="?([^",]+)"?/g)].map((match): [string, string] => [match[1] ?? '', match[2] ?? '']);
  return (at as Tree[]).find((item) => keys.every(([key, value]) => String(item[key]) === value));
}
