import {
  DescribeInstanceTypesCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
} from '@aws-sdk/client-ec2';
import type { Instance, Route, RouteTable, Subnet } from '@aws-sdk/client-ec2';
import type { ObservedCluster } from '../../domain/observation.js';
import type { AwsClients } from '../clients/index.js';
import type { AwsCalls } from './awsCalls.js';
import { batches, bounded } from './lists.js';

/*
 * Everything here is asked by filter: what EC2 does not know (any more) is then left out instead of failing the whole call.
 */

/** Instances that EC2 knows by these ids; terminated ones are answered for about an hour. */
export async function observeInstances(aws: AwsClients, calls: AwsCalls, ids: readonly string[]): Promise<Instance[]> {
  const found = await bounded(batches(ids, 100), 4, async (some) => {
    const input = { Filters: [{ Name: 'instance-id', Values: some }], MaxResults: 1000 };
    const answer = await calls.use('ec2:DescribeInstances', () => aws.ec2.send(new DescribeInstancesCommand(input)), null);
    return (answer?.Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
  });
  return found.flat();
}

/** Subnets and where their default route leads: the subnet's own route table, else the main one of its VPC. */
export async function observeSubnets(aws: AwsClients, calls: AwsCalls, ids: readonly string[]): Promise<ObservedCluster['subnets']> {
  if (ids.length === 0) return [];
  const subnets = (
    await bounded(batches(ids, 100), 4, async (some) => {
      const answer = await calls.use('ec2:DescribeSubnets', () => aws.ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: 'subnet-id', Values: some }] })), null);
      return answer?.Subnets ?? [];
    })
  ).flat();
  const vpcs = [...new Set(subnets.flatMap(({ VpcId }) => VpcId ?? []))];
  const tables = (
    await bounded(vpcs, 4, async (vpc) => {
      const input = { Filters: [{ Name: 'vpc-id', Values: [vpc] }] };
      const answer = await calls.use('ec2:DescribeRouteTables', () => aws.ec2.send(new DescribeRouteTablesCommand(input)), null);
      return answer?.RouteTables ?? [];
    })
  ).flat();
  return subnets
    .map((subnet) => ({
      id: subnet.SubnetId ?? '',
      zone: subnet.AvailabilityZone ?? '',
      availableIps: subnet.AvailableIpAddressCount ?? 0,
      cidr: subnet.CidrBlock ?? '',
      route: defaultRoute(subnet, tables),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function defaultRoute(subnet: Subnet, tables: readonly RouteTable[]): ObservedCluster['subnets'][number]['route'] {
  const own = tables.find(({ Associations }) => Associations?.some(({ SubnetId }) => SubnetId === subnet.SubnetId));
  const main = tables.find((table) => table.VpcId === subnet.VpcId && table.Associations?.some(({ Main }) => Main === true));
  const route = (own ?? main)?.Routes?.find((each: Route) => each.DestinationCidrBlock === '0.0.0.0/0');
  if (route === undefined) return 'none';
  if (route.NatGatewayId !== undefined) return 'nat';
  return route.GatewayId?.startsWith('igw-') === true ? 'internet-gateway' : 'other';
}

/** How many interfaces and addresses each type carries. A type that EC2 does not know is left out. */
export async function observeInstanceTypes(aws: AwsClients, calls: AwsCalls, types: readonly string[]): Promise<ObservedCluster['instanceTypes']> {
  const limits: ObservedCluster['instanceTypes'] = {};
  await bounded(batches(types, 100), 2, async (some) => {
    const answer = await calls.use(
      'ec2:DescribeInstanceTypes',
      () => aws.ec2.send(new DescribeInstanceTypesCommand({ Filters: [{ Name: 'instance-type', Values: some }] })),
      null,
    );
    for (const { InstanceType, NetworkInfo } of answer?.InstanceTypes ?? []) {
      const { MaximumNetworkInterfaces: maxEnis, Ipv4AddressesPerInterface: ipv4PerEni } = NetworkInfo ?? {};
      if (InstanceType !== undefined && maxEnis !== undefined && ipv4PerEni !== undefined) limits[InstanceType] = { maxEnis, ipv4PerEni };
    }
  });
  return limits;
}

/** Interfaces that the VPC CNI made in these VPCs and nothing holds any more. */
export async function leftoverEnis(aws: AwsClients, calls: AwsCalls, vpcs: readonly string[]): Promise<string[]> {
  const found = await bounded(vpcs, 2, async (vpc) => {
    const input = {
      Filters: [
        { Name: 'vpc-id', Values: [vpc] },
        { Name: 'status', Values: ['available'] },
        { Name: 'description', Values: ['aws-K8S-*'] },
      ],
    };
    const answer = await calls.use('ec2:DescribeNetworkInterfaces', () => aws.ec2.send(new DescribeNetworkInterfacesCommand(input)), null);
    return (answer?.NetworkInterfaces ?? []).filter(({ Description }) => Description?.startsWith('aws-K8S-') === true);
  });
  return found.flat().flatMap(({ NetworkInterfaceId }) => NetworkInterfaceId ?? []).sort();
}
