/** Minor of a Cilium image such as `quay.io/cilium/cilium:v1.18.12@sha256:…`; NaN where its tag is no version. */
export function ciliumMinor(image: string | undefined): number {
  const match = /:v?1\.(\d+)\.\d+/.exec(image ?? '');
  return match === null ? Number.NaN : Number(match[1]);
}
