import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { describe, expect, it } from 'vitest';
import { CILIATE_VERSION } from '../../../domain/version.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const text = readFileSync(`${root}deploy/worker.yaml`, 'utf8');

interface Manifest {
  kind: string;
  metadata: { namespace?: string };
  spec?: Record<string, unknown>;
}
const documents = parseAllDocuments(text).map((document) => {
  expect(document.errors).toEqual([]);
  return document.toJS() as Manifest;
});
const deployment = documents.find(({ kind }) => kind === 'Deployment') as unknown as {
  spec: {
    replicas: number;
    selector: { matchLabels: object };
    template: {
      metadata: { labels: object };
      spec: { terminationGracePeriodSeconds: number; automountServiceAccountToken: boolean; containers: { image: string; args: string[]; securityContext: object }[] };
    };
  };
};

describe('deploy/worker.yaml', () => {
  it('says in words that the worker must not run in a cluster that it migrates', () => {
    expect(text).toContain('NOT IN A CLUSTER THAT IT MIGRATES');
  });

  it('runs two workers of this version, with the Deployment selecting its own pods', () => {
    expect(deployment.spec.replicas).toBe(2);
    expect(deployment.spec.selector.matchLabels).toEqual(deployment.spec.template.metadata.labels);
    expect(deployment.spec.template.spec.containers[0]?.image).toBe(`ciliate-worker:${CILIATE_VERSION}`);
  });

  it('gives a worker longer to stop than it takes, and no token of the cluster it runs in', () => {
    expect(deployment.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(45);
    expect(deployment.spec.template.spec.automountServiceAccountToken).toBe(false);
  });

  it('runs without rights', () => {
    expect(deployment.spec.template.spec.containers[0]?.securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
  });

  it('keeps to one namespace', () => {
    for (const { kind, metadata } of documents) if (kind !== 'Namespace') expect(metadata.namespace).toBe('ciliate');
  });
});

describe('deploy/Dockerfile', () => {
  const dockerfile = readFileSync(`${root}deploy/Dockerfile`, 'utf8');

  it('pins what it starts from, on glibc', () => {
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/:\d+\.\d+(\.\d+)?-bookworm(-slim)?$/);
  });

  it('does not run as root', () => {
    expect(dockerfile).toMatch(/^USER 10001/m);
  });
});
