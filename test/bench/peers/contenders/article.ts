import type { Contender } from '../contender.js';
import { ARTICLE, runScript, scriptsMissing } from '../script.js';
import { serialBound } from '../shape.js';

/** The procedure that this project automates, typed in by a script that never sleeps and never errs. */
export const article: Contender = {
  name: 'article, serial',
  ours: false,
  bound: serialBound,
  missing: () => Promise.resolve(scriptsMissing()),
  start: (field) => runScript(field, [`${ARTICLE} prepare refresh finish`]),
  // Labelling again would put aws-node onto the nodes that are on Cilium already: one goes on with the nodes.
  again: (field) => runScript(field, [`${ARTICLE} refresh finish`]),
};
