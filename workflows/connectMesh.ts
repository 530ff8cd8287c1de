import { ApplicationFailure, CancellationScope, defineQuery, isCancellation, proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { Look } from '../activities/api.js';
import type { Exposed, MeshActivities, MeshPlan, MeshRequest } from '../activities/mesh/api.js';
import { meshDetails } from '../domain/mesh/text.js';
import { meshVerdict } from '../domain/mesh/run.js';
import type { MeshClusterStatus, MeshOrder, MeshProof, MeshStatus, MeshStep } from '../domain/mesh/run.js';
import type { Peer } from '../domain/mesh/values.js';
import { ciliumNameOf } from '../domain/mesh/names.js';
import type { MeshInput } from '../domain/spec/mesh.js';
import type { Manifest } from '../domain/spec/schema.js';
import { acts, BRIEF, LONG, LOOKING } from './activityProxies.js';
import { stepFailure } from './failure.js';
import { until } from './until.js';

export const meshStatusQuery = defineQuery<MeshStatus>('status');

const { readMesh, shareCa } = proxyActivities<MeshActivities>(BRIEF);
const { meshPreflight, changeMesh, verifyMesh, leaveMesh } = proxyActivities<MeshActivities>(LONG);
const { lookMesh, lookLeft } = proxyActivities<MeshActivities>(LOOKING);

/**
 * Connects the clusters of a mesh, or disconnects them: one cluster after the other, each under its Lease while it is changed.
 * Every step converges, so what a dead or failed run left the next one finishes, and disconnecting undoes it from wherever it is.
 * Completes with the status; fails (type `MeshFailed`, the status in its details) where a person must mend something.
 */
export async function connectMesh(order: MeshOrder): Promise<MeshStatus> {
  const run = new MeshRun(order);
  setHandler(meshStatusQuery, () => run.status);
  try {
    await run.begin();
    await (order.verb === 'connect' ? run.connect() : run.disconnect());
  } catch (error) {
    if (isCancellation(error)) throw error;
    run.end('failed', stepFailure(error).message);
  }
  if (run.status.state === 'failed') throw ApplicationFailure.create({ message: run.status.problem ?? 'failed', type: 'MeshFailed', nonRetryable: true, details: [run.status] });
  return run.status;
}

class MeshRun {
  readonly status: MeshStatus;
  #mesh: MeshInput;
  #holder = '';

  constructor({ verb, mesh }: MeshOrder) {
    this.#mesh = mesh;
    const clusters = (mesh?.clusters ?? []).map((manifest): MeshClusterStatus => ({ cluster: manifest?.metadata?.name ?? '', note: null, awaits: [], proof: null }));
    this.status = { version: 1, mesh: mesh?.name ?? '', verb, state: 'running', step: 'preflight', problem: null, findings: [], clusters };
  }

  async begin(): Promise<void> {
    this.#mesh = await readMesh(this.#mesh);
    this.#holder = (await acts.temporalFacts()).holder;
  }

  async connect(): Promise<void> {
    const plan = await meshPreflight({ mesh: this.#mesh });
    this.status.findings = plan.findings;
    if (plan.blocked) return this.end('blocked', plan.findings.filter(({ severity }) => severity === 'blocker').map(({ message, todo }) => `${message} ${todo}`).join(' '));
    const source = this.#mesh.clusters.find(({ metadata }) => metadata.name === plan.caSource);
    if (source === undefined) return this.end('blocked', 'No cluster has a CA (Secret kube-system/cilium-ca): is hubble.tls switched off in all of them? Create one in the first cluster.');
    await this.#share(source);
    const exposed = await this.#expose();
    const peers = await this.#join(plan, exposed);
    await this.#verify(source, peers);
  }

  async disconnect(): Promise<void> {
    this.#enter('disconnect');
    for (const manifest of this.#mesh.clusters) {
      await this.#held(manifest, async (request) => {
        const { changed, left } = await leaveMesh(request);
        if (changed) await this.#look(manifest, (known) => lookLeft({ ...request, known }));
        this.#note(manifest, left.length > 0 ? `disconnected; left as somebody else set it since: ${left.join(', ')}` : changed ? 'disconnected, values and CA as before' : 'was not in this mesh');
      });
    }
    this.end('disconnected', null);
  }

  end(state: MeshStatus['state'], problem: string | null): void {
    Object.assign(this.status, { state, problem, step: state === 'failed' ? this.status.step : 'end' });
    this.#show();
  }

  /** Before anything makes certificates: so every one is signed by the CA that all know. */
  async #share(source: Manifest): Promise<void> {
    this.#enter('share-ca');
    for (const manifest of this.#mesh.clusters) {
      if (manifest === source) continue;
      await this.#held(manifest, async (request) => {
        const { change } = await shareCa({ ...request, from: source.spec.cluster });
        this.#note(manifest, change === 'none' ? 'has the CA already' : `CA ${change}`);
      });
    }
  }

  async #expose(): Promise<Map<string, Exposed>> {
    this.#enter('expose');
    const exposed = new Map<string, Exposed>();
    for (const manifest of this.#mesh.clusters) {
      await this.#held(manifest, async (request) => {
        const { revision } = await changeMesh({ ...request, peers: null, ownNames: [], nativeCidr: null });
        const seen = await this.#look(manifest, (known) => lookMesh({ ...request, known }));
        if (seen.exposed !== null) exposed.set(manifest.metadata.name, seen.exposed);
        this.#note(manifest, `exposed at ${seen.exposed?.hostname ?? seen.exposed?.ips?.join(', ') ?? ''}:${seen.exposed?.port ?? ''}, revision ${revision}`);
      });
    }
    return exposed;
  }

  async #join({ clusters }: MeshPlan, exposed: Map<string, Exposed>): Promise<Map<string, Peer[]>> {
    this.#enter('connect');
    const all = new Map<string, Peer[]>();
    for (const manifest of this.#mesh.clusters) {
      const { name } = manifest.metadata;
      const peers = this.#mesh.clusters.filter((other) => other !== manifest).flatMap((other): Peer[] => {
        const at = exposed.get(other.metadata.name);
        return at === undefined ? [] : [{ name: ciliumNameOf(other), ...at }];
      });
      all.set(name, peers);
      const own = exposed.get(name)?.hostname;
      const nativeCidr = clusters.find(({ cluster }) => cluster === name)?.nativeCidr ?? null;
      await this.#held(manifest, async (request) => {
        const { revision } = await changeMesh({ ...request, peers, ownNames: own === undefined ? [] : [own], nativeCidr });
        await this.#look(manifest, (known) => lookMesh({ ...request, known }));
        this.#note(manifest, `knows ${peers.map((peer) => peer.name).join(', ')}, revision ${revision}`);
      });
    }
    return all;
  }

  async #verify(source: Manifest, peers: Map<string, Peer[]>): Promise<void> {
    this.#enter('verify');
    const proofs: MeshProof[] = [];
    for (const manifest of this.#mesh.clusters) {
      const proof = await verifyMesh({ ...this.#request(manifest), peers: peers.get(manifest.metadata.name) ?? [], caOf: source.spec.cluster });
      proofs.push(proof);
      this.#of(manifest).proof = proof;
      this.#show();
    }
    const verdict = meshVerdict(proofs);
    const silent = proofs.find(({ agents }) => agents.silent > 0)?.agents;
    const problems = proofs.flatMap((proof) => proof.problems);
    if (verdict === 'failed') return this.end('failed', problems.slice(0, 5).join('; '));
    this.end(verdict, verdict === 'connected' ? null : `could not be proven: Secrets, certificates and peers are as they must be, but ${silent?.silent ?? 0} agents could not be asked (${silent?.why ?? 'there are none'})`);
  }

  /** One step in one cluster, under its Lease; which is given back however the step ends. */
  async #held(manifest: Manifest, work: (request: MeshRequest) => Promise<void>): Promise<void> {
    const request = this.#request(manifest);
    const { target } = request;
    await acts.takeLease({ target });
    try {
      await work(request);
    } finally {
      await CancellationScope.nonCancellable(() => acts.releaseLease({ target }));
    }
  }

  async #look<T extends Look>(manifest: Manifest, look: (known: string) => Promise<T>): Promise<T> {
    return until(look, (blockers) => {
      this.#of(manifest).awaits = blockers;
      this.#show();
    });
  }

  #request(manifest: Manifest): MeshRequest {
    const target = { migration: manifest.metadata.name, cluster: manifest.spec.cluster, holder: this.#holder };
    return { target, manifest, mesh: this.#mesh.name, expose: this.#mesh.expose };
  }

  #of({ metadata }: Manifest): MeshClusterStatus {
    const found = this.status.clusters.find(({ cluster }) => cluster === metadata.name);
    if (found === undefined) throw new Error(`no status of ${metadata.name}`);
    return found;
  }

  #note(manifest: Manifest, note: string): void {
    Object.assign(this.#of(manifest), { note, awaits: [] });
    this.#show();
  }

  #enter(step: MeshStep): void {
    this.status.step = step;
    this.#show();
  }

  #show(): void {
    setCurrentDetails(meshDetails(this.status));
  }
}
