/** Nodes that keep a network of their own: neither labelled nor refreshed. */
export const OWN_NETWORK = {
  fargate: 'Fargate: no node of yours, keeps its own networking',
  windows: 'Windows: Cilium does not run there, keeps the VPC CNI of Windows',
  hybrid: 'hybrid node: has no ENI, keeps its own networking',
  'auto-mode': 'EKS Auto Mode: keeps its own networking',
} as const;
export type OwnNetwork = keyof typeof OWN_NETWORK;

/** Which of them a node is, by the labels that EKS gives it; undefined: its network is ours to change. */
export function ownNetwork(labels: Readonly<Record<string, string>>): OwnNetwork | undefined {
  if (labels['kubernetes.io/os'] === 'windows') return 'windows';
  switch (labels['eks.amazonaws.com/compute-type']) {
    case 'fargate':
      return 'fargate';
    case 'hybrid':
      return 'hybrid';
    case 'auto':
      return 'auto-mode';
    default:
      return undefined;
  }
}

/** Whether it is left out for its network. Others that are left out can run Cilium, only nothing could end them. */
export function keepsOwnNetwork({ leftOut }: { leftOut?: string }): boolean {
  return isOwnNetwork(leftOut);
}

/** Why a node is left out, for people. */
export function leftOutText(leftOut: string): string {
  return isOwnNetwork(leftOut) ? OWN_NETWORK[leftOut] : `marked as a node of ${leftOut}, but nothing of it is there that could be ended`;
}

function isOwnNetwork(leftOut: string | undefined): leftOut is OwnNetwork {
  return leftOut !== undefined && Object.hasOwn(OWN_NETWORK, leftOut);
}
