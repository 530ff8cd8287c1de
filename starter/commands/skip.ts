import { sayNodeCommand } from '../cli/say-command.js';

export default sayNodeCommand({
  verb: 'skip',
  place: 25,
  description: 'leave a node as it is: one in flight is handed back while it still can be; the run then ends partial',
  fallback: 'none',
});
