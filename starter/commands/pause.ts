import { sayCommand } from '../cli/say-command.js';

export default sayCommand({ verb: 'pause', place: 21, description: 'stop between nodes, and between the evictions of a drain, until resume', fallback: 'signal' });
