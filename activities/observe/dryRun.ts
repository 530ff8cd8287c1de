import {
  DescribeInstanceTypesCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
} from '@aws-sdk/client-ec2';
import { awsErrorName } from '../clients/errors.js';
import type { AwsClients } from '../clients/index.js';
import { isDenied } from './awsCalls.js';
import type { Verdict } from './simulate.js';

const DryRun = true;

/** EC2's own answer to "may I?", where the action has a dry run; null for other services and where EC2 says something else. */
export async function dryRun(aws: AwsClients, action: string): Promise<Verdict | null> {
  const call = callOf(aws, action);
  if (call === null) return null;
  try {
    await call;
    return null;
  } catch (error) {
    if (awsErrorName(error) === 'DryRunOperation') return 'allowed';
    return isDenied(error) ? 'denied' : null;
  }
}

function callOf({ ec2 }: AwsClients, action: string): Promise<unknown> | null {
  switch (action) {
    case 'ec2:DescribeInstances':
      return ec2.send(new DescribeInstancesCommand({ DryRun }));
    case 'ec2:DescribeInstanceTypes':
      return ec2.send(new DescribeInstanceTypesCommand({ DryRun }));
    case 'ec2:DescribeSubnets':
      return ec2.send(new DescribeSubnetsCommand({ DryRun }));
    case 'ec2:DescribeRouteTables':
      return ec2.send(new DescribeRouteTablesCommand({ DryRun }));
    case 'ec2:DescribeNetworkInterfaces':
      return ec2.send(new DescribeNetworkInterfacesCommand({ DryRun }));
    case 'ec2:DescribeLaunchTemplateVersions':
      return ec2.send(new DescribeLaunchTemplateVersionsCommand({ DryRun, Versions: ['$Latest'] }));
    default:
      return null;
  }
}
