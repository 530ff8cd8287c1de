/** The name of a cluster in Cilium. Apart from the schema, so that workflows need no zod for it. */
export function ciliumNameOf({ metadata, spec }: { metadata: { name: string }; spec: { cilium: { clusterName?: string } } }): string {
  return spec.cilium.clusterName ?? metadata.name;
}
