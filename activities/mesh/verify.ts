import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import type { MeshProof } from '../../domain/mesh/run.js';
import type { Peer } from '../../domain/mesh/values.js';
import { KUBE_SYSTEM } from '../../domain/names.js';
import type { Clients } from '../clients/index.js';
import type { MeshRequest } from './api.js';
import { askAgents } from './agents.js';
import { digestOf, readCa, readSecret } from './ca.js';
import { exposure } from './look.js';

/** By the certificate of this name others know that they reached the right cluster; the chart gives it to every peer without one of its own. */
const MESH_NAME = 'x.mesh.cilium.io';

/** Everything that can be shown of one cluster's part in the mesh, from its own objects and from its agents. */
export async function verifyMesh(clients: Clients, source: Clients, request: MeshRequest & { peers: Peer[] }): Promise<MeshProof> {
  const { problems, proofs } = collector();
  const [ca, wanted] = await Promise.all([readCa(clients), readCa(source)]);
  if (ca === undefined || ca !== wanted) problems.push(`Secret ${KUBE_SYSTEM}/cilium-ca is not that of the other clusters`);
  else {
    proofs.push(`the CA is that of all clusters (sha256 ${digestOf(ca).slice(0, 12)})`);
    const { exposed } = await exposure(clients, request.expose);
    await certificates(clients, { ca, names: exposed?.hostname === undefined ? [MESH_NAME] : [exposed.hostname] }, { problems, proofs });
  }
  await peersKnown(clients, request.peers, { problems, proofs });
  const { problems: unconnected, ...agents } = await askAgents(clients, request.peers.map(({ name }) => name));
  return { proofs, problems: [...problems, ...unconnected], agents };
}

interface Said {
  problems: string[];
  proofs: string[];
}

function collector(): Said {
  return { problems: [], proofs: [] };
}

/** The certificates that others (server) and this cluster towards others (remote) show. */
async function certificates(clients: Clients, { ca, names }: { ca: string; names: string[] }, { problems, proofs }: Said): Promise<void> {
  const authority = new X509Certificate(ca);
  for (const [name, hosts] of [['clustermesh-apiserver-server-cert', names], ['clustermesh-apiserver-remote-cert', []]] as const) {
    const crt = (await readSecret(clients, name))?.data?.['tls.crt'];
    const object = `Secret ${KUBE_SYSTEM}/${name}`;
    if (crt === undefined) {
      problems.push(`${object} is not there`);
      continue;
    }
    const certificate = new X509Certificate(Buffer.from(crt, 'base64'));
    const wrong = hosts.filter((host) => certificate.checkHost(host) === undefined);
    if (!certificate.verify(authority.publicKey)) problems.push(`${object} is not signed by the CA`);
    else if (Date.parse(certificate.validTo) < Date.now()) problems.push(`${object} has run out (${certificate.validTo})`);
    else if (wrong.length > 0) problems.push(`${object} does not name ${wrong.join(', ')}, which peers connect to`);
    else proofs.push(`${name} is signed by the CA${hosts.length > 0 ? ` and names ${hosts.join(', ')}` : ''}`);
  }
}

interface EtcdConfig {
  endpoints?: string[];
}

/** Who the agents know, and at which address it is reached: by the agents themselves, or (from 1.16 on) by KVStoreMesh for them. */
async function peersKnown(clients: Clients, peers: Peer[], { problems, proofs }: Said): Promise<void> {
  const [agents, kvstoremesh] = await Promise.all([readSecret(clients, 'cilium-clustermesh'), readSecret(clients, 'cilium-kvstoremesh')]);
  for (const peer of peers) {
    const known = agents?.data?.[peer.name];
    if (known === undefined) {
      problems.push(`Secret ${KUBE_SYSTEM}/cilium-clustermesh does not name cluster ${peer.name}`);
      continue;
    }
    const entry = (kvstoremesh ?? agents)?.data?.[peer.name];
    const endpoints = entry === undefined ? [] : ((parse(Buffer.from(entry, 'base64').toString('utf8')) as EtcdConfig | null)?.endpoints ?? []);
    const wanted = `https://${peer.hostname ?? `${peer.name}.mesh.cilium.io`}:${peer.port}`;
    if (endpoints.includes(wanted)) proofs.push(`cluster ${peer.name} is known at ${wanted}`);
    else problems.push(`cluster ${peer.name} is known at ${endpoints.join(', ') || 'no address'}, expected ${wanted}`);
  }
}
