import { blockerLine } from '../refresh.js';
import type { MeshClusterStatus, MeshStatus } from './run.js';

/** A mesh as a person reads it. */
export function meshText(status: MeshStatus): string {
  const { mesh, verb, state, step, problem } = status;
  const where = state === 'running' ? `, at ${step}` : '';
  return [`${mesh}: ${verb} ${state}${where}${problem === null ? '' : `: ${problem}`}`, ...status.clusters.flatMap(clusterText)].join('\n');
}

/** The same for Temporal's UI. */
export function meshDetails(status: MeshStatus): string {
  return [`### mesh ${meshText(status).split('\n')[0] ?? ''}`, '', ...status.clusters.flatMap(clusterText).map((line) => (line.startsWith('    ') ? `  - ${line.trim()}` : `- ${line.trim()}`))].join('\n');
}

function clusterText({ cluster, note, awaits, proof }: MeshClusterStatus): string[] {
  return [`  ${cluster}: ${note ?? 'nothing done yet'}`, ...awaits.map((blocker) => `    awaits ${blockerLine(blocker)}`), ...proofText(proof)];
}

function proofText(proof: MeshClusterStatus['proof']): string[] {
  if (proof === null) return [];
  const { asked, connected, silent, why } = proof.agents;
  const agents = `${connected} of ${asked} agents say that they are connected${silent > 0 ? `, ${silent} could not be asked (${why ?? ''})` : ''}`;
  return [...proof.proofs.map((line) => `    proven: ${line}`), `    ${asked > 0 && connected === asked ? 'proven' : 'UNPROVEN'}: ${agents}`, ...proof.problems.map((line) => `    PROBLEM: ${line}`)];
}
