import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/**
 * A reporter of vitest that writes what scripts/test.mjs counts to `--outputFile`: `{passed, skipped, failed}`, the last a line for each.
 * vitest's own JSON knows nothing of errors outside of tests, which fail a run all the same.
 */
export default class Summary {
  #vitest;

  onInit(vitest) {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules, unhandled) {
    const { root, outputFile } = this.#vitest.config;
    const files = modules.map((module) => ({ file: relative(root, module.moduleId), errors: module.errors(), tests: [...module.children.allTests()] }));
    const tests = files.flatMap(({ file, tests }) => tests.map((test) => ({ file, name: test.fullName, ...test.result() })));
    const failed = [
      ...tests.filter(({ state }) => state === 'failed').map(({ file, name, errors }) => `${file} > ${name}: ${said(errors)}`),
      // That could not be loaded, or whose set-up failed.
      ...files.filter(({ errors }) => errors.length > 0).map(({ file, errors }) => `${file}: ${said(errors)}`),
      ...unhandled.map((error) => `outside of any test: ${said([error])}`),
    ];
    const many = (wanted) => tests.filter(({ state }) => state === wanted).length;
    writeFileSync(outputFile, JSON.stringify({ passed: many('passed'), skipped: many('skipped') + many('pending'), failed }));
  }
}

/** The first line of the first error. */
function said([error]) {
  return `${error?.name ?? 'Error'}: ${error?.message ?? ''}`.split('\n')[0].slice(0, 6000);
}
