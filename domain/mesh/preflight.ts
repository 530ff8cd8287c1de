import { minor } from '../cilium/charts/index.js';
import { at } from '../cilium/valueTree.js';
import type { Finding } from '../findings.js';
import { finding } from '../hazards/finding.js';
import type { Exposure } from '../spec/mesh.js';
import { cidrText, covers, isPrivate, overlaps, parseCidr, supernet } from './cidr.js';
import type { Cidr } from './cidr.js';
import type { MeshMember } from './observed.js';
import { closedOpenings } from './openings.js';
import { FIRST_MINOR } from './values.js';

export interface MeshCheckInput {
  mesh: string;
  expose: Exposure;
  members: MeshMember[];
}

type Check = (input: MeshCheckInput) => Finding[];

/** Everything that is in the way of a mesh; blockers stop it before its first write. */
export function checkMesh(input: MeshCheckInput): Finding[] {
  return CHECKS.flatMap((check) => check(input));
}

const named = ({ name }: MeshMember): string => `cluster ${name}`;

/** One finding for those members that a rule does not fit; none where it fits all. */
function those(members: readonly MeshMember[], id: string, say: { message: (members: readonly MeshMember[]) => string; todo: string }): Finding[] {
  return members.length === 0 ? [] : [finding(id, 'blocker', { objects: members.map(named), message: say.message(members), todo: say.todo })];
}

const sameCluster: Check = ({ members }) =>
  those(members.filter((one) => members.some((other) => other !== one && other.uid === one.uid)), 'mesh-same-cluster', {
    message: () => 'These files lead to one and the same cluster.',
    todo: 'Correct spec.cluster of one of them.',
  });

const notOnCilium: Check = ({ members }) =>
  those(members.filter(({ config, release }) => config === null || release === null), 'mesh-no-cilium', {
    message: () => 'Cilium is not there, or not by Helm.',
    todo: 'Migrate the cluster first: ciliate start -f SPEC.',
  });

const foreign: Check = ({ members }) =>
  those(members.filter(({ release }) => release !== null && !release.ours), 'mesh-foreign-release', {
    message: () => "Helm release cilium is not ciliate's: what it would put in Helm values, somebody else would take out.",
    todo: 'Leave this cluster to whoever installs Cilium there.',
  });

const halfWay: Check = ({ members }) =>
  those(members.filter(({ awsNodes }) => awsNodes > 0), 'mesh-half-way', {
    message: (them) => `aws-node still runs: ${them.map(({ name, awsNodes }) => `${awsNodes} pods in ${name}`).join(', ')}. Pods on its nodes have no identity that another cluster could know.`,
    todo: 'End the migration first: ciliate status CLUSTER.',
  });

const names: Check = ({ members }) => [
  ...those(members.filter(({ config, wanted }) => config !== null && config['cluster-name'] !== wanted.clusterName), 'mesh-name-differs', {
    message: (them) => them.map(({ name, config, wanted }) => `${name} is called ${config?.['cluster-name'] ?? 'nothing'} in Cilium, its file says ${wanted.clusterName}.`).join(' '),
    todo: 'Correct spec.cilium.clusterName: the name in the cluster is final (another one restarts every workload).',
  }),
  ...those(members.filter(({ config }) => config?.['cluster-name'] === 'default'), 'mesh-name-default', {
    message: () => 'The name "default" is refused by Cluster Mesh.',
    todo: 'Another name restarts every workload: https://docs.cilium.io/en/stable/network/clustermesh/clustermesh/',
  }),
  ...those(twice(members, ({ config }) => config?.['cluster-name']), 'mesh-name-twice', {
    message: () => 'Two clusters have the same name in Cilium.',
    todo: 'One of them needs another name, which restarts its workloads.',
  }),
];

const ids: Check = ({ members }) => [
  ...those(members.filter(({ config }) => config !== null && !(idOf(config) >= 1 && idOf(config) <= 127)), 'mesh-id-range', {
    message: (them) => `A cluster id from 1 to 127 is needed: ${them.map(({ name, config }) => `${name} has ${config?.['cluster-id'] ?? 'none'}`).join(', ')}.`,
    todo: 'Set spec.cilium.clusterId and start the migration again: later it restarts every workload, which is why it is asked for early.',
  }),
  ...those(twice(members.filter(({ config }) => config !== null && idOf(config) > 0), ({ config }) => config?.['cluster-id']), 'mesh-id-twice', {
    message: (them) => `Two clusters have the same id: ${them.map(({ name, config }) => `${name} ${config?.['cluster-id']}`).join(', ')}. Identities of their pods would be taken for each other's.`,
    todo: 'One of them needs another id, which restarts its workloads.',
  }),
  ...those(members.filter(({ config }) => config !== null && (config['max-connected-clusters'] ?? '255') !== (members[0]?.config?.['max-connected-clusters'] ?? '255')), 'mesh-max-clusters', {
    message: () => 'max-connected-clusters differs from the first cluster: identities would be cut otherwise.',
    todo: 'It cannot be changed in a running cluster.',
  }),
];

const versions: Check = ({ members }) => {
  const seen = members.filter(({ release }) => release !== null);
  const minors = [...new Set(seen.map(({ release }) => minor(release?.chartVersion ?? '')))];
  return [
    ...(minors.length < 2
      ? []
      : [
          finding('mesh-minor', 'blocker', {
            objects: seen.map(({ name, release }) => `cluster ${name}: ${release?.chartVersion}`),
            message: 'The clusters run different minors of Cilium.',
            todo: 'Bring them to the same minor first.',
          }),
        ]),
    ...those(seen.filter(({ release }) => !(minor(release?.chartVersion ?? '') >= FIRST_MINOR)), 'mesh-old', {
      message: () => `Cilium before 1.${FIRST_MINOR} cannot be connected by ciliate.`,
      todo: 'Upgrade Cilium first.',
    }),
    ...those(seen.filter(({ release, wanted }) => release?.chartVersion !== wanted.version), 'mesh-version-differs', {
      message: (them) => them.map(({ name, release, wanted }) => `${name} runs ${release?.chartVersion}, its file says ${wanted.version}.`).join(' '),
      todo: 'Connecting does not upgrade: correct spec.cilium.version.',
    }),
  ];
};

const otherMesh: Check = ({ members, mesh }) =>
  those(members.filter((member) => member.mesh !== null && member.mesh !== mesh), 'mesh-other', {
    message: (them) => them.map((member) => `${member.name} is in mesh ${member.mesh}.`).join(' '),
    todo: 'Disconnect that one first, or name all its clusters in one MESH of that name.',
  });

const certificates: Check = ({ members }) => {
  const own = members.filter(({ release }) => at(release?.values ?? {}, 'tls.ca.cert') !== undefined);
  const methods = members.filter(({ release }) => !['helm', undefined].includes(at(release?.values ?? {}, 'clustermesh.apiserver.tls.auto.method') as string | undefined));
  const different = new Set(members.map(({ ca }) => ca)).size > 1;
  return [
    ...(different
      ? those(own, 'mesh-ca-in-values', {
          message: () => 'Their CA stands in the Helm values (tls.ca) and is not that of the other clusters.',
          todo: 'Give every cluster the same tls.ca in spec.cilium.values.',
        })
      : []),
    ...those(methods, 'mesh-certificates', {
      message: () => 'clustermesh.apiserver.tls.auto.method is not helm.',
      todo: 'Only certificates that Helm makes are handled here: take that key out of spec.cilium.values.',
    }),
    ...(new Set(members.flatMap(({ ca }) => ca ?? [])).size > 1 && own.length === 0
      ? [
          finding('mesh-ca-rotated', 'warning', {
            objects: members.slice(1).filter(({ ca }) => ca !== null && ca !== caSource(members)?.ca).map(named),
            message: `Their CA gives way to that of ${caSource(members)?.name ?? ''}: agents and operator are rolled, and Hubble's certificates are made anew.`,
            todo: 'The CA of before is kept in Secret kube-system/ciliate-mesh-ca and put back by `ciliate mesh disconnect`.',
          }),
        ]
      : []),
  ];
};

const networks: Check = ({ members }) => {
  const pairs = members.flatMap((one, index) => members.slice(index + 1).map((other) => [one, other] as const));
  const clashes = pairs.flatMap(([one, other]) => cidrs(one).flatMap((a) => cidrs(other).filter((b) => overlaps(a, b)).map((b) => `${one.name} ${cidrText(a)} and ${other.name} ${cidrText(b)}`)));
  const unknown = members.filter((member) => cidrs(member).length === 0);
  return [
    ...(clashes.length === 0
      ? []
      : [finding('mesh-cidr-overlap', 'blocker', { objects: clashes, message: 'Networks of the clusters overlap: pods of ENI mode have addresses of the VPC, so two of them could have the same one.', todo: 'Such clusters cannot be connected.' })]),
    ...(unknown.length === 0
      ? []
      : [finding('mesh-cidr-unknown', 'warning', { objects: unknown.map(named), message: 'The networks of their VPC could not be read (ec2:DescribeVpcs), so whether they overlap is not known.', todo: 'Allow it, or make sure yourself.' })]),
  ];
};

const nativeRouting: Check = ({ members }) =>
  members.flatMap((member): Finding[] => {
    if (member.config?.['enable-ipv4-masquerade'] !== 'true') return [];
    const own = userCidr(member);
    const all = members.flatMap(cidrs);
    if (own !== undefined) {
      const outside = all.filter((cidr) => !covers(own, cidr));
      if (outside.length === 0) return [];
      return [finding('mesh-native-cidr', 'blocker', { objects: [named(member)], message: `ipv4NativeRoutingCIDR ${cidrText(own)} does not cover ${outside.map(cidrText).join(', ')}: traffic there would get the node's address, and no policy would know the pod.`, todo: 'Widen it in spec.cilium.values.' })];
    }
    const wide = nativeCidr(members);
    if (wide !== null) return [];
    return [finding('mesh-native-cidr', 'blocker', { objects: [named(member)], message: 'It masquerades, and no private network covers the networks of all clusters; a wider one would take masquerading from the internet, too.', todo: 'Set ipv4NativeRoutingCIDR in spec.cilium.values, or masquerade: false where a NAT gateway does it.' })];
  });

const securityGroups: Check = ({ members, expose }) =>
  members.flatMap((member): Finding[] => {
    const others = members.filter((other) => other !== member).flatMap(({ vpcCidrs }) => vpcCidrs);
    if (member.securityGroups === null) {
      return [finding('mesh-security-groups-unread', 'warning', { objects: [named(member)], message: 'Security groups of its nodes could not be read.', todo: 'Check yourself that they let the other clusters in: TCP 2379 (or 32379), TCP 4240, ICMP echo, and the ports of pods.' })];
    }
    const closed = closedOpenings(member.securityGroups.flatMap(({ rules }) => rules), others, expose);
    if (closed.length === 0) return [];
    return [
      finding('mesh-security-groups', 'warning', {
        objects: closed.map(({ what, from, verdict }) => `${what} from ${from}${verdict === 'unknown' ? ' (rules that name groups or prefix lists may allow it)' : ''}`),
        message: `The security groups of ${member.name} (${member.securityGroups.map(({ id }) => id).join(', ')}) do not let this in.`,
        todo: 'Add the rules; ciliate never changes security groups. With an NLB that has groups of its own, they count instead.',
      }),
    ];
  });

const loadBalancers: Check = ({ members, expose }) => {
  const without = members.filter((member) => expose === 'nlb' && !member.loadBalancerController);
  if (without.length === 0) return [];
  return [finding('mesh-no-controller', 'warning', { objects: without.map(named), message: 'The AWS Load Balancer Controller was not found: nobody would make the Network Load Balancer.', todo: 'Install it, or take expose: nodePort.' })];
};

const CHECKS: readonly Check[] = [
  sameCluster, notOnCilium, foreign, halfWay, names, ids, versions, otherMesh, certificates, networks, nativeRouting, securityGroups, loadBalancers,
];

/** The cluster whose CA all get: the first that has one. */
export function caSource(members: readonly MeshMember[]): MeshMember | undefined {
  return members.find(({ ca }) => ca !== null);
}

/** The one private network that covers those of all clusters; null where there is none. */
export function nativeCidr(members: readonly MeshMember[]): string | null {
  const all = members.flatMap(cidrs);
  if (all.length === 0) return null;
  const wide = supernet(all);
  return isPrivate(wide) ? cidrText(wide) : null;
}

/** What the user set himself; what the mesh set does not count. */
function userCidr({ release, mesh }: MeshMember): Cidr | undefined {
  const value = mesh === null ? at(release?.values ?? {}, 'ipv4NativeRoutingCIDR') : undefined;
  return typeof value === 'string' ? parseCidr(value) : undefined;
}

/** The network to set as ipv4NativeRoutingCIDR in a cluster; null where none is needed or the user has said it. */
export function nativeCidrFor(member: MeshMember, members: readonly MeshMember[]): string | null {
  return member.config?.['enable-ipv4-masquerade'] === 'true' && userCidr(member) === undefined ? nativeCidr(members) : null;
}

function cidrs({ vpcCidrs }: MeshMember): Cidr[] {
  return vpcCidrs.flatMap((text) => parseCidr(text) ?? []);
}

function idOf(config: Record<string, string>): number {
  return Number(config['cluster-id'] ?? 0);
}

function twice(members: readonly MeshMember[], of: (member: MeshMember) => string | undefined): MeshMember[] {
  return members.filter((one) => of(one) !== undefined && members.some((other) => other !== one && of(other) === of(one)));
}
