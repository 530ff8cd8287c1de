import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { CODEC_KEYS_ENV, dataConverterFromEnv, ENCODING as ENCRYPTED } from '../worker/codec.js';
import { temporalConfig } from '../worker/config.js';
import { ExitError, unreachableError, usageError } from './exit.js';

/** How long a first answer may take before Temporal counts as unreachable. */
const CONNECT_TIMEOUT_MS = 5_000;

export interface ConnectedClient {
  client: Client;
  address: string;
  namespace: string;
  close(): Promise<void>;
}

/**
 * Connects with the settings that Temporal's own CLI reads (worker/config.ts).
 * @throws ExitError 3 with one line when Temporal cannot be reached, 2 when its configuration is broken
 */
export async function connectClient(): Promise<ConnectedClient> {
  const { address, namespace, connection: options, dataConverter } = settings();
  let connection: Connection;
  try {
    connection = await Connection.connect({ ...options, connectTimeout: CONNECT_TIMEOUT_MS });
  } catch (error) {
    throw unreachable(address, error);
  }
  const client = new Client({ connection, namespace, ...(dataConverter === undefined ? {} : { dataConverter }) });
  return { client, address, namespace, close: () => connection.close() };
}

/** Runs `work` with a client and closes it whatever happens. */
export async function withClient<T>(work: (connected: ConnectedClient) => Promise<T>): Promise<T> {
  const connected = await connectClient();
  try {
    return await work(connected);
  } catch (error) {
    throw explained(error, connected);
  } finally {
    await connected.close();
  }
}

function settings() {
  try {
    return { ...temporalConfig(), dataConverter: dataConverterFromEnv() };
  } catch (error) {
    throw usageError(`Temporal's client configuration cannot be read: ${(error as Error).message}`);
  }
}

function unreachable(address: string, cause: unknown): ExitError {
  const how = process.env['TEMPORAL_ADDRESS'] === undefined ? 'no TEMPORAL_ADDRESS is set' : 'from TEMPORAL_ADDRESS';
  return unreachableError(
    `cannot reach Temporal at ${address} (${how}): ${reason(cause)}. Start one here with \`ciliate dev\`, or set TEMPORAL_ADDRESS (and TEMPORAL_NAMESPACE, TEMPORAL_TLS, TEMPORAL_API_KEY)`,
    cause,
  );
}

/** gRPC codes that mean "not reached", as against "reached and refused". */
const GRPC = { notFound: 5, permissionDenied: 7, unavailable: 14, unauthenticated: 16 } as const;

function explained(error: unknown, { address, namespace }: ConnectedClient): unknown {
  if (error instanceof Error && error.message.includes(ENCRYPTED)) return usageError(`what Temporal holds of this run is encrypted: set ${CODEC_KEYS_ENV} as its worker has it`);
  const grpc = grpcError(error);
  if (error instanceof ExitError || grpc === undefined) return error;
  switch (grpc.code) {
    case GRPC.unavailable:
      return unreachable(address, grpc);
    case GRPC.permissionDenied:
    case GRPC.unauthenticated:
      return unreachableError(`Temporal at ${address} refused: ${grpc.details || grpc.message}; check TEMPORAL_API_KEY, TEMPORAL_TLS_* and the namespace ${namespace}`, error);
    case GRPC.notFound:
      if (/namespace/i.test(grpc.details)) return unreachableError(`Temporal at ${address} has no namespace ${namespace}: set TEMPORAL_NAMESPACE`, error);
      return error;
    default:
      return error;
  }
}

interface GrpcFacts {
  code: number;
  details: string;
  message: string;
}

/** The gRPC error inside whatever the client library wrapped around it. */
export function grpcError(error: unknown): GrpcFacts | undefined {
  if (isGrpcServiceError(error)) return { code: error.code, details: error.details ?? '', message: error.message };
  return error instanceof Error && error.cause !== undefined ? grpcError(error.cause) : undefined;
}

function reason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return /deadline/i.test(message) ? `no answer within ${CONNECT_TIMEOUT_MS / 1000} s` : (message.split('\n')[0] ?? message);
}
