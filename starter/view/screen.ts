import { createLogUpdate } from 'log-update';
import type { MigrationStatus } from '../../domain/status.js';
import type { Screen } from '../run/watch.js';
import { frame } from './frame.js';
import { changes } from './lines.js';

/** A picture that redraws itself on a terminal, else one line a change; `json`: one status a line whenever it changed. */
export function screenFor(stream: NodeJS.WriteStream, format: 'table' | 'json'): Screen {
  if (format === 'json') return jsonLines(stream);
  return canRedraw(stream) ? live(stream) : plain(stream);
}

/** A terminal that is wide enough to draw on; some (a CI's, `script`) call themselves one and have no width. */
export function canRedraw(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && stream.columns >= 60;
}

function live(stream: NodeJS.WriteStream): Screen {
  const update = createLogUpdate(stream, { showCursor: true });
  return {
    show: ({ status, instead }) => update([frame(status, new Date()), ...(instead === null ? [] : ['', instead])].join('\n')),
    end: () => update.done(),
  };
}

function plain(stream: NodeJS.WriteStream): Screen {
  let before: MigrationStatus | undefined;
  let said: string | null = null;
  return {
    show: ({ status, instead }) => {
      if (instead !== null && instead !== said) stream.write(`${instead}\n`);
      said = instead;
      // What is shown instead of an answer knows less: comparing it with an answer would report changes that are none.
      if (instead !== null && before !== undefined) return;
      for (const line of changes(before, status, new Date())) stream.write(`${line}\n`);
      before = status;
    },
    end: () => {},
  };
}

function jsonLines(stream: NodeJS.WriteStream): Screen {
  let before = '';
  return {
    show: ({ status }) => {
      const line = JSON.stringify(status);
      if (line !== before) stream.write(`${line}\n`);
      before = line;
    },
    end: () => {},
  };
}
