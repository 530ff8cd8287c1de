/** One thing in the rendered chart that is not as it must be. Nothing may be applied while there is one. */
export interface RenderFinding {
  /** e.g. `ConfigMap kube-system/cilium-config, key enable-policy`. */
  object: string;
  expected: string;
  seen: string;
}
