import { sayNodeCommand } from '../cli/say-command.js';

export default sayNodeCommand({ verb: 'retry', place: 26, description: 'look at a node again now, or take back a skip', fallback: 'none' });
