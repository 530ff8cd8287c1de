import type { ServerResponse } from 'node:http';
import type { FaultEngine, Request, Verdict } from '../faults/engine.js';
import { hungUp } from './listen.js';

/** What the server behind a front answered. */
export interface Answer {
  status: number;
  deliver(): void;
  /** A fault took its place. */
  discard(): void;
}

/** One request at a front, and what differs between the fronts. */
export interface Exchange {
  request: Request;
  response: ServerResponse;
  /** Answers in the server's stead, in its own words. */
  refuse(verdict: NonNullable<Verdict>): void;
  /** Undefined where there is no answer and the client has been told. */
  forward(): Promise<Answer | undefined>;
}

/** A request on its way: a rule may answer before the server has seen it, or after, when the server has done it already. */
export async function pass(faults: FaultEngine, exchange: Exchange): Promise<void> {
  const { request, response, forward } = exchange;
  const gone = hungUp(response);
  if (settled(exchange, await faults.meet(request, 'before', { gone })) || response.destroyed) return;
  const answer = await forward();
  if (answer === undefined) return;
  if (settled(exchange, await faults.meet(request, 'after', { gone, status: answer.status }))) answer.discard();
  else answer.deliver();
}

function settled({ response, refuse }: Exchange, verdict: Verdict): boolean {
  if (verdict === undefined) return false;
  if (verdict.drop === true) response.destroy();
  else refuse(verdict);
  return true;
}
