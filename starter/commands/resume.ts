import { sayCommand } from '../cli/say-command.js';

export default sayCommand({ verb: 'resume', place: 22, description: 'go on after pause', fallback: 'signal' });
