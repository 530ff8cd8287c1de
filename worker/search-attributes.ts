import { SEARCH_ATTRIBUTES } from '../domain/names.js';
import type { Connection } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';

/** IndexedValueType of Temporal's API. */
const INDEXED_VALUE_TYPE = { KEYWORD: 2, INT: 3, BOOL: 5 } as const;

export interface Registration {
  registered: boolean;
  /** One line for the log: what was done, or why the worker runs without. */
  said: string;
}

/** The part of a connection that is used: a Connection and a NativeConnection both have it. */
export type OperatorConnection = Pick<Connection | NativeConnection, 'operatorService'>;

/**
 * Registers ciliate's search attributes, where they are missing. A worker that may not (Temporal Cloud, a locked-down
 * server) runs without them: they only serve lists in Temporal's UI, nothing is decided by them.
 */
export async function registerSearchAttributes(connection: OperatorConnection, namespace: string): Promise<Registration> {
  try {
    const missing = await missingAttributes(connection, namespace);
    if (missing.length === 0) return { registered: true, said: 'search attributes are registered' };
    const searchAttributes = Object.fromEntries(missing.map((name) => [name, INDEXED_VALUE_TYPE[SEARCH_ATTRIBUTES[name]]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    const left = await awaitRegistered(connection, namespace);
    if (left.length > 0) return { registered: false, said: `search attributes were accepted but do not show yet (${left.join(', ')}): running without them` };
    return { registered: true, said: `registered search attributes ${missing.join(', ')}` };
  } catch (error) {
    return { registered: false, said: `running without search attributes: Temporal refused to list or add them (${(error as Error).message}); a server administrator can add them: docs/temporal.md` };
  }
}

type Name = keyof typeof SEARCH_ATTRIBUTES;

async function missingAttributes(connection: OperatorConnection, namespace: string): Promise<Name[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return (Object.keys(SEARCH_ATTRIBUTES) as Name[]).filter((name) => {
    const type = customAttributes?.[name];
    if (type != null && type !== INDEXED_VALUE_TYPE[SEARCH_ATTRIBUTES[name]]) {
      throw new Error(`${name}: expected type ${SEARCH_ATTRIBUTES[name]}, saw another one registered under this name`);
    }
    return type == null;
  });
}

/** The server caches its list of attributes: a run that used one too early would have its task refused. */
async function awaitRegistered(connection: OperatorConnection, namespace: string): Promise<Name[]> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const left = await missingAttributes(connection, namespace);
    if (left.length === 0) return [];
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return missingAttributes(connection, namespace);
}
