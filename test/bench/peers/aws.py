"""The two calls of the AWS command line that the article makes, for machines without it. Prints JSON as `aws` does."""

import argparse
import json

import boto3

parser = argparse.ArgumentParser(prog="aws")
services = parser.add_subparsers(dest="service", required=True)
for service, action in (("ec2", "describe-instances"), ("autoscaling", "terminate-instance-in-auto-scaling-group")):
    command = services.add_parser(service).add_subparsers(dest="action", required=True).add_parser(action)
    command.add_argument("--region")
    command.add_argument("--no-cli-pager", action="store_true")
    command.add_argument("--query")
    command.add_argument("--output")
    if service == "ec2":
        command.add_argument("--filters", "--filter", required=True)
    else:
        command.add_argument("--instance-id", required=True)
        command.add_argument("--should-decrement-desired-capacity", dest="decrement", action="store_true")
        command.add_argument("--no-should-decrement-desired-capacity", dest="decrement", action="store_false")
arguments = parser.parse_args()
client = boto3.client(arguments.service, region_name=arguments.region)
if arguments.service == "ec2":
    name, _, values = arguments.filters.partition(",")
    wanted = {"Name": name.removeprefix("Name="), "Values": values.removeprefix("Values=").split(",")}
    answer = client.describe_instances(Filters=[wanted])
else:
    answer = client.terminate_instance_in_auto_scaling_group(InstanceId=arguments.instance_id, ShouldDecrementDesiredCapacity=arguments.decrement)
answer.pop("ResponseMetadata", None)
print(json.dumps(answer, default=str))
