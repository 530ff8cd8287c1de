import { createHash } from 'node:crypto';
import { Agent } from 'node:https';
import {
  AdmissionregistrationV1Api,
  ApiextensionsV1Api,
  ApisApi,
  AppsV1Api,
  AuthorizationV1Api,
  BatchV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  PolicyV1Api,
  RbacAuthorizationV1Api,
  ServerConfiguration,
  VersionApi,
  createConfiguration,
} from '@kubernetes/client-node';
import type { ApiConstructor, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { CiliateError } from '../../domain/failures.js';
import { timedHttp } from './http.js';
import { CONNECT_TIMEOUT_MS, CONNECTIONS } from './types.js';
import type { KubeClients } from './types.js';

/** API clients on a loaded kubeconfig. `onUnauthorized` is called on every 401, before one repetition. */
export function kubeClients(config: KubeConfig, onUnauthorized: () => void): KubeClients {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new CiliateError('Permanent', {
      object: `kubeconfig context ${config.getCurrentContext() || '(none)'}`,
      expected: `one of ${config.getContexts().map((context) => context.name).join(', ') || '(the file has none)'}, with a cluster`,
      seen: 'no such context or cluster',
      todo: 'Set spec.cluster.context to a context of that kubeconfig.',
    });
  }
  const auth = keptAlive(config);
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(cluster.server, {}),
    authMethods: { default: auth },
    httpApi: timedHttp({ onUnauthorized, authenticate: (request) => auth.applySecurityAuthentication(request), connections: CONNECTIONS }),
  });
  const make = <T extends object>(api: ApiConstructor<T>): T => new api(configuration);
  return {
    config,
    server: cluster.server,
    core: make(CoreV1Api),
    apps: make(AppsV1Api),
    policy: make(PolicyV1Api),
    coordination: make(CoordinationV1Api),
    rbac: make(RbacAuthorizationV1Api),
    authorization: make(AuthorizationV1Api),
    batch: make(BatchV1Api),
    admission: make(AdmissionregistrationV1Api),
    apiextensions: make(ApiextensionsV1Api),
    custom: make(CustomObjectsApi),
    version: make(VersionApi),
    apis: make(ApisApi),
    make,
  };
}

/**
 * The kubeconfig's own authentication (exec plugins included), on connections that are kept: client-node makes a new
 * agent, hence a new TLS handshake, for every single request.
 */
function keptAlive(config: KubeConfig): { getName(): string; applySecurityAuthentication(request: RequestContext): Promise<void> } {
  let kept: { digest: string; agent: Agent } | undefined;
  return {
    getName: () => 'ciliate',
    async applySecurityAuthentication(request) {
      await config.applySecurityAuthentication(request);
      const agent = request.getAgent();
      // An agent of a proxy keeps its own ways.
      if (!(agent instanceof Agent) || agent.constructor !== Agent) return;
      const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = agent.options;
      const tls = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized };
      const digest = createHash('sha256').update(JSON.stringify(tls)).digest('hex');
      if (kept?.digest !== digest) {
        kept?.agent.destroy();
        kept = { digest, agent: patientAgent(withoutUndefined(tls)) };
      }
      request.setAgent(kept.agent);
    },
  };
}

/** An agent that gives up connecting after CONNECT_TIMEOUT_MS; Node has no such option. */
function patientAgent(tls: ConstructorParameters<typeof Agent>[0]): Agent {
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'lifo' });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = connect(options, callback);
    if (socket == null) return socket;
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`), { code: 'ETIMEDOUT' }));
    }, CONNECT_TIMEOUT_MS);
    const stop = (): void => clearTimeout(timer);
    socket.once('secureConnect', stop).once('error', stop).once('close', stop);
    return socket;
  };
  return agent;
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<T>;
}
