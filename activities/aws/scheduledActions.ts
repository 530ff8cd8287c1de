import type { ScheduledUpdateGroupAction } from '@aws-sdk/client-auto-scaling';
import { CronExpressionParser } from 'cron-parser';

export interface Span {
  from: Date;
  to: Date;
}

/** Scheduled actions that were due in the span, one line each: while suspended, AWS drops them for good. */
export function missedActions(actions: ScheduledUpdateGroupAction[], span: Span): string[] {
  return actions.flatMap((action) => {
    const due = dueIn(action, span);
    if (due === undefined) return [];
    const sizes = [
      ['min', action.MinSize],
      ['max', action.MaxSize],
      ['desired', action.DesiredCapacity],
    ].filter(([, size]) => size !== undefined);
    const what = sizes.map(([name, size]) => `${name} ${size}`).join(', ');
    return [
      `ASG ${action.AutoScalingGroupName}: scheduled action ${action.ScheduledActionName} was due at ${due.toISOString()} while ScheduledActions was suspended (${what || 'no size'}). Apply it by hand if it is still wanted.`,
    ];
  });
}

/** The last time in the span at which the action would have run. */
function dueIn(action: ScheduledUpdateGroupAction, { from, to }: Span): Date | undefined {
  if (action.Recurrence === undefined) {
    const at = action.StartTime ?? action.Time;
    return at !== undefined && at > from && at <= to ? at : undefined;
  }
  const start = action.StartTime !== undefined && action.StartTime > from ? action.StartTime : from;
  const end = action.EndTime !== undefined && action.EndTime < to ? action.EndTime : to;
  if (start >= end) return undefined;
  try {
    const previous = CronExpressionParser.parse(action.Recurrence, { currentDate: new Date(end.getTime() + 1), tz: action.TimeZone ?? 'UTC' }).prev().toDate();
    return previous > start || previous.getTime() === action.StartTime?.getTime() ? previous : undefined;
  } catch {
    // A rule that we cannot read is named rather than passed over.
    return end;
  }
}
