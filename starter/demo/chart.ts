import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { resolveChart } from '../../activities/helm/chart.js';
import { standInChart } from '../../lab/index.js';
import { chartFolder, packageRoot } from '../paths.js';

export const DEMO_CILIUM_VERSION = '1.20.0';

/** How long the public repository may take: a firewall answers nothing at all. */
const REPOSITORY_MS = 15_000;

export interface DemoChart {
  /** For spec.cilium.chart; absent: the public Helm repository. */
  chart?: string;
  /** What is used and why, one line. */
  said: string;
}

/** The chart of the demo: as asked for, the public Helm repository, a real one beside the checkout, else the lab's stand-in. */
export async function demoChart(asked: string | undefined): Promise<DemoChart> {
  if (asked !== undefined) return { chart: resolve(asked), said: `as asked for: ${asked}` };
  const unreachable = await whyUnreachable();
  if (unreachable === undefined) return { said: `Cilium ${DEMO_CILIUM_VERSION} from the public Helm repository` };
  const real = join(dirname(packageRoot()), 'shared', 'charts', `cilium-${DEMO_CILIUM_VERSION}.tgz`);
  if (existsSync(real)) return { chart: real, said: `the real Cilium ${DEMO_CILIUM_VERSION} chart beside this checkout (public Helm repository: ${unreachable})` };
  return { chart: standInChart(), said: `STAND-IN chart of the lab, not Cilium's own (public Helm repository: ${unreachable})` };
}

async function whyUnreachable(): Promise<string | undefined> {
  try {
    await resolveChart({ version: DEMO_CILIUM_VERSION }, chartFolder(), AbortSignal.timeout(REPOSITORY_MS));
    return undefined;
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError' ? 'no answer' : 'not reachable from here';
  }
}
