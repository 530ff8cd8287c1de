import { asyncLocalStorage } from '@temporalio/activity';
import { IsomorphicFetchHttpLibrary, ResponseContext, wrapHttpLibrary } from '@kubernetes/client-node';
import type { HttpLibrary, RequestContext } from '@kubernetes/client-node';
import pLimit from 'p-limit';
import { CiliateError } from '../../domain/failures.js';
import { REQUEST_TIMEOUT_MS } from './types.js';

/** Response header of our own: which call it answers, so that an ApiException can be told apart from another. */
export const REQUEST_HEADER = 'x-ciliate-request';

export interface HttpSettings {
  /** Called on 401, before the one repetition: forget what authenticates (tokens expire, files are rotated). */
  onUnauthorized(): void;
  /** Puts fresh authentication on a request that is sent again. */
  authenticate(request: RequestContext): Promise<void>;
  /** How many the agent of the requests has. More requests at a time than that wait here. */
  connections: number;
}

/**
 * client-node's HTTP library with a limit on every call, the activity's cancellation, one repetition after a 401 with
 * fresh credentials, and one of a GET whose kept-alive socket the server had closed. No request waits for a connection in the agent: what
 * is given the socket of another that has just ended makes node-fetch take that one's answer for cut off ("Premature close").
 */
export function timedHttp(settings: HttpSettings): HttpLibrary {
  const fetch = new IsomorphicFetchHttpLibrary();
  const connected = pLimit(settings.connections);
  const once = (request: RequestContext): Promise<ResponseContext> => {
    const cancelled = asyncLocalStorage.getStore()?.cancellationSignal;
    return connected(() => send(request, cancelled));
  };
  const send = async (request: RequestContext, cancelled: AbortSignal | undefined): Promise<ResponseContext> => {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    request.setSignal(cancelled === undefined ? timeout : AbortSignal.any([timeout, cancelled]));
    try {
      const response = await fetch.send(request).toPromise();
      // Read here, not lazily: the limit covers the body too.
      const body = await response.body.binary();
      const headers = { ...response.headers, [REQUEST_HEADER]: describe(request) };
      const text = (): Promise<string> => Promise.resolve(body.toString('utf8'));
      return new ResponseContext(response.httpStatusCode, headers, { text, binary: () => Promise.resolve(body) });
    } catch (cause) {
      if (timeout.aborted && cancelled?.aborted !== true) throw timedOut(request, cause);
      throw cause;
    }
  };
  return wrapHttpLibrary({
    async send(request) {
      let response: ResponseContext;
      try {
        response = await once(request);
      } catch (error) {
        if (request.getHttpMethod().toString() !== 'GET' || !closedSocket(error)) throw error;
        response = await once(request);
      }
      if (response.httpStatusCode !== 401) return response;
      settings.onUnauthorized();
      await settings.authenticate(request);
      return once(request);
    },
  });
}

/** `GET /api/v1/nodes`: method and path, without the server. */
function describe(request: RequestContext): string {
  const url = new URL(request.getUrl());
  return `${request.getHttpMethod().toString()} ${url.pathname}`;
}

function closedSocket(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function timedOut(request: RequestContext, cause: unknown): CiliateError {
  const server = new URL(request.getUrl()).origin;
  return new CiliateError(
    'Transient',
    {
      object: `API server ${server}`,
      expected: `an answer to ${describe(request)} within ${REQUEST_TIMEOUT_MS / 1000} s`,
      seen: 'none',
      todo: 'It is tried again; check that the worker reaches the API server.',
    },
    { code: 'Timeout', cause },
  );
}
