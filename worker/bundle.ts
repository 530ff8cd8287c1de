import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { Logger, WorkflowBundleOption } from '@temporalio/worker';
import { FAILURE_CONVERTER } from './codec.js';

export interface BundleSettings {
  /** Failures are encrypted inside the workflow sandbox too: that needs a bundle of its own. */
  encrypted?: boolean;
  logger?: Logger;
}

/** dist/workflow-bundle.js where the build has put it, else bundled now from the source (2 to 3 s): tests run without a build. */
export async function workflowBundle(settings: BundleSettings = {}): Promise<WorkflowBundleOption> {
  const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (!settings.encrypted && existsSync(built)) return { codePath: built };
  return bundleWorkflowCode({
    workflowsPath: pathOf('index'),
    preloadModules: [pathOf('sandbox')],
    ...(settings.encrypted ? { failureConverterPath: FAILURE_CONVERTER } : {}),
    ...(settings.logger === undefined ? {} : { logger: settings.logger }),
    webpackConfigHook: (config) => ({
      ...config,
      // The source imports `./x.js` and means `./x.ts` (NodeNext).
      resolve: { ...config.resolve, extensionAlias: { '.js': ['.ts', '.js'] } },
    }),
  });
}

/** Of a module of the workflows, in the source or transpiled. */
function pathOf(name: string): string {
  const folder = new URL('../workflows/', import.meta.url);
  const [source = '', transpiled = ''] = ['ts', 'js'].map((kind) => fileURLToPath(new URL(`${name}.${kind}`, folder)));
  return existsSync(source) ? source : transpiled;
}
