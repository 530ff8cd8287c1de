import { sayCommand } from '../cli/say-command.js';

export default sayCommand({
  verb: 'abort',
  place: 23,
  description: 'end the migration safely: the node in flight is finished or handed back, extra nodes of a surge are taken back (said once more: left), guards are given back; nothing is rolled back',
  fallback: 'cancel',
});
