import { CiliateError } from '../../domain/failures.js';
import { fleetInputSchema } from '../../domain/fleet/schema.js';
import type { FleetInput } from '../../domain/fleet/schema.js';

/**
 * Strictly validates what a fleet's workflow was started with: `temporal workflow start` takes any JSON.
 *
 * @throws CiliateError Permanent `InvalidFleet` that names every issue
 */
export function readFleet(input: unknown): FleetInput {
  const parsed = fleetInputSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'Fleet'}: ${issue.message}`);
  throw new CiliateError(
    'Permanent',
    { object: 'Fleet', expected: 'a fleet as `ciliate fleet start` sends it (docs/fleet.md)', seen: issues.join('; '), todo: 'Start it with `ciliate fleet start -f FLEET`.' },
    { code: 'InvalidFleet', details: { issues } },
  );
}
