import { manifestSchema } from '../../../../domain/spec/schema.js';
import type { Field } from '../../../support/field.js';
import type { Attempt, Contender } from '../contender.js';
import { serialBound, surgeBound } from '../shape.js';

/** Nodes beyond those that are needed. */
const SURGE = 10;

function attempt(field: Field, name: string): Attempt {
  const ended = field.report(name).then(
    (report) => {
      // Where the time went, for whoever reads the log: the table is the observer's.
      console.log(report.phases.map(({ phase, startedAt, endedAt }) => `${phase} ${endedAt === undefined ? '?' : ((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(1)}`).join(', '));
      for (const { node, seconds, startedAt } of report.nodes) console.log(`${node.name} from ${startedAt.slice(11, 23)}: ${JSON.stringify(seconds)}`);
      return report.state === 'done' ? 'success' : report.state;
    },
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return { ended, kill: () => field.killWorker() };
}

/** Why the SPEC of this version refuses such a `refresh`; undefined when it accepts it. */
function refusal(refresh: Record<string, unknown>): string | undefined {
  const spec = { cluster: { kubeconfig: '/k' }, cilium: { version: '1.20.0' }, approvals: [], refresh };
  const { error } = manifestSchema.safeParse({ apiVersion: 'ciliate.io/v1alpha1', kind: 'ClusterMigration', metadata: { name: 'x' }, spec });
  return error && `the SPEC refuses it: ${error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`;
}

/** This project, with a `refresh` of the SPEC; left out while the SPEC does not accept it. */
function ciliate(name: string, refresh: Record<string, unknown>, bound: Contender['bound']): Contender {
  const id = name.replaceAll(/[^a-z0-9]+/g, '-');
  return {
    name,
    ours: true,
    bound,
    missing: () => Promise.resolve(refusal(refresh)),
    start: async (field) => {
      field.startWorker();
      const { code, err } = await field.ciliate('start', '-f', field.spec(id, { refresh }));
      if (code !== 0) throw new Error(`start ended with ${code}: ${err}`);
      return attempt(field, id);
    },
    again: (field) => {
      field.startWorker();
      return Promise.resolve(attempt(field, id));
    },
  };
}

const ONE_BY_ONE = { maxSurge: 0, maxUnavailable: 1 };
const ALONE = { ...ONE_BY_ONE, canary: false };
export const serial = ciliate('ciliate, serial', refusal(ALONE) === undefined ? ALONE : ONE_BY_ONE, serialBound);
export const surge = ciliate('ciliate, surge 10', { maxSurge: SURGE, maxUnavailable: 0, canary: false }, (nodes) => surgeBound(nodes, SURGE));
export const surgeWithCanary = ciliate('ciliate, surge 10, canary and ramp', { maxSurge: SURGE, maxUnavailable: 0 }, (nodes) => surgeBound(nodes, SURGE));
