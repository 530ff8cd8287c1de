import { hostname, userInfo } from 'node:os';

/** `$USER@host`: who says something, as the report keeps it. Self-asserted; who may reach Temporal is Temporal's to decide. */
export function whoAmI(): string {
  return `${process.env['USER'] ?? userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // a container may run as a uid without a name
  }
}
