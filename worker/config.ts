import { loadClientConnectConfig } from '@temporalio/envconfig';

export type ConnectionOptions = ReturnType<typeof loadClientConnectConfig>['connectionOptions'];

/** Where Temporal is and how to get in. */
export interface TemporalConfig {
  address: string;
  namespace: string;
  /** Address, TLS, API key and gRPC metadata: for Connection and NativeConnection alike. */
  connection: ConnectionOptions;
}

export const DEFAULT_ADDRESS = '127.0.0.1:7233';
export const DEFAULT_NAMESPACE = 'default';

/**
 * The settings that Temporal's own CLI reads: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TLS_*, TEMPORAL_API_KEY, or a
 * profile of its configuration file (TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE).
 * @throws Error when the configuration file is broken
 */
export function temporalConfig(): TemporalConfig {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const address = connectionOptions.address ?? DEFAULT_ADDRESS;
  return { address, namespace: namespace ?? DEFAULT_NAMESPACE, connection: { ...connectionOptions, address } };
}
