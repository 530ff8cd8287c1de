import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { LabUsageError } from '../errors.js';
import { assetsRoot, cacheRoot } from '../paths.js';
import { withLock } from './lock.js';
import { checkSpace } from './disk.js';
import type { Space } from './disk.js';
import { checkGo } from './tools.js';

/** Called with one line of progress. */
export type OnProgress = (line: string) => void;

interface Binary {
  package: string;
  /** What `go build` calls it. */
  built: string;
  name: string;
}

const binaries: Binary[] = [
  { package: 'go.etcd.io/etcd/server/v3', built: 'server', name: 'etcd' },
  { package: 'sigs.k8s.io/kwok/cmd/kwok', built: 'kwok', name: 'kwok' },
  { package: 'k8s.io/kubernetes/cmd/kube-scheduler', built: 'kube-scheduler', name: 'kube-scheduler' },
  { package: 'helm.sh/helm/v4/cmd/helm', built: 'helm', name: 'helm' },
  { package: 'k8s.io/kubernetes/cmd/kube-apiserver', built: 'kube-apiserver', name: 'kube-apiserver' },
  { package: 'k8s.io/kubernetes/cmd/kube-controller-manager', built: 'kube-controller-manager', name: 'kube-controller-manager' },
];

/**
 * The folder with etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok and helm; built from source with Go
 * when the cache has none for this go.mod, go.sum, flags and platform (6 to 9 minutes on 2 cores, once).
 * @throws LabUsageError when Go, disk space or the module download is missing.
 */
export async function ensureControlPlane(onProgress: OnProgress): Promise<string> {
  const source = path.join(assetsRoot(), 'controlplane');
  const modules = await readFile(path.join(source, 'go.mod'), 'utf8');
  const sums = await readFile(path.join(source, 'go.sum'), 'utf8');
  const flags = linkFlags(modules);
  const hash = createHash('sha256')
    .update([modules, sums, flags, process.platform, process.arch].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const root = path.join(cacheRoot(), 'controlplane');
  const target = path.join(root, hash);
  const bin = path.join(target, 'bin');
  if (existsSync(bin)) return bin;

  await withLock(`${target}.lock`, () => onProgress('another process is building the control plane: waiting for it'), async () => {
    if (existsSync(bin)) return;
    await checkGo();
    await checkSpace(await buildSpace(root));
    const temp = path.join(root, `.build-${hash}-${String(process.pid)}`);
    await rm(temp, { recursive: true, force: true });
    await mkdir(path.join(temp, 'bin'), { recursive: true });
    try {
      // Go writes beside go.mod at times; the checkout may be read-only or shared.
      await cp(source, path.join(temp, 'src'), { recursive: true });
      await build(temp, flags, onProgress);
      await rename(temp, target);
    } finally {
      await rm(temp, { recursive: true, force: true });
    }
  });
  return bin;
}

/** Where the build writes: the binaries are the least of it. Measured with Go's caches cold. */
async function buildSpace(root: string): Promise<Space[]> {
  const asked = await execa('go', ['env', 'GOCACHE', 'GOMODCACHE', 'GOTMPDIR'], { cwd: '/' });
  const [cache = '', modules = '', temporary = ''] = asked.stdout.split('\n');
  return [
    { dir: root, megabytes: 500, setting: 'CILIATE_CACHE' },
    { dir: cache, megabytes: 4_500, setting: 'GOCACHE' },
    { dir: modules, megabytes: 2_000, setting: 'GOMODCACHE' },
    { dir: temporary || tmpdir(), megabytes: 1_000, setting: temporary ? 'GOTMPDIR' : 'TMPDIR' },
  ];
}

/** Without these the server calls itself v0.0.0-master+$Format:%H$, which Helm and kubectl cannot parse. */
function linkFlags(modules: string): string {
  const version = /k8s\.io\/kubernetes v(\d+)\.(\d+)\.(\d+)/.exec(modules);
  if (version === null) throw new Error('lab/controlplane/go.mod names no k8s.io/kubernetes version');
  const [, major, minor, patch] = version;
  const variable = 'k8s.io/component-base/version';
  return `-s -w -X ${variable}.gitVersion=v${major}.${minor}.${patch} -X ${variable}.gitMajor=${major} -X ${variable}.gitMinor=${minor}`;
}

async function build(temp: string, flags: string, onProgress: OnProgress): Promise<void> {
  const started = Date.now();
  const elapsed = (): string => {
    const seconds = Math.round((Date.now() - started) / 1000);
    return `${String(Math.floor(seconds / 60))}m${String(seconds % 60).padStart(2, '0')}s`;
  };
  onProgress(`building the control plane from source, once (6 to 9 minutes on 2 cores): ${String(binaries.length)} binaries`);
  for (const [index, binary] of binaries.entries()) {
    const where = `[${String(index + 1)}/${String(binaries.length)}] ${binary.name}`;
    onProgress(`${where}: compiling … (${elapsed()})`);
    const ticker = setInterval(() => onProgress(`${where}: still compiling (${elapsed()})`), 20_000);
    const output = path.join(temp, 'bin', binary.name);
    const result = await execa('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags', flags, '-o', output, binary.package], {
      cwd: path.join(temp, 'src'),
      env: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
      reject: false,
      stdin: 'ignore',
    }).finally(() => clearInterval(ticker));
    if (result.failed) throw buildError(binary.name, result.stderr);
  }
  onProgress(`control plane built in ${elapsed()}`);
}

function buildError(name: string, stderr: string): Error {
  const last = stderr.trim().split('\n').slice(-3).join(' | ');
  if (/no space left/i.test(stderr)) return new LabUsageError(`the disk is full, while building ${name}: free 8 GB, or set CILIATE_CACHE, GOCACHE and TMPDIR to where there is more`);
  if (/dial tcp|proxyconnect|no such host|i\/o timeout/i.test(stderr)) {
    return new LabUsageError(`Go modules cannot be downloaded (set GOPROXY to one that can be reached): ${last}`);
  }
  return new Error(`building ${name} failed: ${last}`);
}
