import { Writable } from 'node:stream';
import { Exec } from '@kubernetes/client-node';
import type { V1Pod } from '@kubernetes/client-node';
import { ciliumMinor } from '../../domain/cilium/image.js';
import { agentConnected } from '../../domain/mesh/agentStatus.js';
import type { MeshProof } from '../../domain/mesh/run.js';
import { CILIUM, KUBE_SYSTEM } from '../../domain/names.js';
import type { Clients } from '../clients/index.js';
import { readAgents } from '../kubernetes/lists.js';
import { bounded } from '../observe/lists.js';
import { agentImage } from '../policy/facts.js';

const ANSWER_MS = 10_000;
const PARALLEL = 8;
/** The agent's own command got this name in 1.15; the older one stays as a link for a while only. */
const RENAMED_MINOR = 15;

/** Asks every agent whether it is connected to every peer. One that cannot be asked is silent: nothing is claimed of it. */
export async function askAgents(clients: Clients, peers: readonly string[]): Promise<MeshProof['agents'] & { problems: string[] }> {
  const pods = [...(await readAgents(clients)).ciliumPods.values()];
  const answers = await bounded(pods, PARALLEL, async (pod) => ({ pod: pod.metadata?.name ?? '', ...(await ask(clients, pod, peers)) }));
  const silent = answers.filter(({ connected }) => connected === null);
  return {
    asked: answers.length,
    connected: answers.filter(({ connected }) => connected === true).length,
    silent: silent.length,
    why: silent[0]?.why ?? null,
    problems: answers.flatMap(({ pod, connected, why }) => (connected === false ? [`agent ${pod}: ${why ?? ''}`] : [])),
  };
}

async function ask(clients: Clients, pod: V1Pod, peers: readonly string[]): Promise<{ connected: boolean | null; why: string | null }> {
  const command = ciliumMinor(agentImage(pod.spec?.containers ?? [])) < RENAMED_MINOR ? 'cilium' : 'cilium-dbg';
  try {
    const text = await exec(clients, pod.metadata?.name ?? '', [command, 'status', '-o', 'json']);
    return agentConnected(text, peers) ?? { connected: null, why: `${command} status gave no status` };
  } catch (error) {
    return { connected: null, why: error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'no connection to the pod' };
  }
}

/** Standard output of a command in an agent. Rejects where the pod cannot be reached, or says nothing in time. */
async function exec(clients: Clients, pod: string, command: string[]): Promise<string> {
  const out: Buffer[] = [];
  const collect = new Writable({ write: (chunk: Buffer, _, next) => (out.push(chunk), next()) });
  const ignore = new Writable({ write: (_chunk, _, next) => next() });
  let socket: { close(): void } | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
      new Exec(clients.kube.config)
        .exec(KUBE_SYSTEM, pod, `${CILIUM}-agent`, command, collect, ignore, null, false, () => resolve(Buffer.concat(out).toString('utf8')))
        .then((opened) => {
          socket = opened;
          opened.onclose = () => resolve(Buffer.concat(out).toString('utf8'));
        }, (error: unknown) => reject(error instanceof Error ? error : new Error(String((error as { message?: unknown }).message ?? 'the connection failed'))));
    });
  } finally {
    clearTimeout(timer);
    socket?.close();
  }
}
