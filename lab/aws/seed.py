"""The account as the lab finds it: VPC, subnets, role, cluster, node groups, add-ons."""

import base64
import uuid

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.eks.models import eks_backends
from moto.iam.models import iam_backends

ASSUME = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"%s"},"Action":"sts:AssumeRole"}]}'


class Account:
    def __init__(self, config):
        self.config = config
        self.id = config["account"]
        self.region = config["region"]
        self.ec2 = ec2_backends[self.id][self.region]
        self.asg = autoscaling_backends[self.id][self.region]
        self.eks = eks_backends[self.id][self.region]
        self.iam = iam_backends[self.id]["aws"]
        self.subnets = []

    def seed(self, addons):
        config = self.config
        # 10.N of 10.N.0.0/16
        prefix = ".".join(config["vpcCidr"].split(".")[:2])
        vpc = self.ec2.create_vpc(config["vpcCidr"], tags=[{"Key": "Name", "Value": config["clusterName"]}])
        for index, zone in enumerate(config["zones"]):
            subnet = self.ec2.create_subnet(vpc.id, f"{prefix}.{64 * index}.0/18", availability_zone=zone, tags={"subnet": {"Name": f"private-{zone}"}})
            self.subnets.append(subnet)
        self.route_out(vpc, prefix)
        for role, service in (("lab-cluster", "eks.amazonaws.com"), ("lab-node", "ec2.amazonaws.com"), ("lab-vpc-cni", "pods.eks.amazonaws.com"), ("lab-admin", "ec2.amazonaws.com"), ("lab-viewer", "ec2.amazonaws.com")):
            self.iam.create_role(
                role_name=role,
                assume_role_policy_document=ASSUME % service,
                path="/",
                permissions_boundary=None,
                description="",
                tags=[],
                max_session_duration="3600",
            )
        cluster = self.eks.create_cluster(
            name=config["clusterName"],
            role_arn=f"arn:aws:iam::{self.id}:role/lab-cluster",
            resources_vpc_config={"subnetIds": [s.id for s in self.subnets], "vpcId": vpc.id, "endpointPublicAccess": True, "endpointPrivateAccess": True, "securityGroupIds": []},
            version=config["kubernetesVersion"],
            kubernetes_network_config={"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"},
        )
        cluster.endpoint = config["apiEndpoint"]
        cluster.certificate_authority = {"data": config["caData"]}
        for group in config["groups"]:
            self.create_group(group)
        if config["awsNode"] == "addon":
            addons.seed(config["clusterName"], "vpc-cni", config["vpcCniVersion"], config["vpcCniConfiguration"], f"arn:aws:iam::{self.id}:role/lab-vpc-cni")
        addons.seed(config["clusterName"], "coredns", "v1.12.4-eksbuild.1", None, None)
        addons.seed(config["clusterName"], "kube-proxy", "v1.36.0-eksbuild.2", None, None)

    def route_out(self, vpc, prefix):
        """How pods reach the internet decides about masquerading: a NAT gateway (private subnets) or the internet gateway."""
        gateway = self.ec2.create_internet_gateway()
        self.ec2.attach_internet_gateway(gateway.id, vpc.id)
        table = self.ec2.create_route_table(vpc.id)
        for subnet in self.subnets:
            self.ec2.associate_route_table(table.id, subnet_id=subnet.id)
        if self.config["egress"] == "nat":
            public = self.ec2.create_subnet(vpc.id, f"{prefix}.192.0/20", availability_zone=self.config["zones"][0], tags={"subnet": {"Name": "public"}})
            address = self.ec2.allocate_address(domain="vpc")
            nat = self.ec2.create_nat_gateway(public.id, allocation_id=address.allocation_id, tags=[])
            self.ec2.create_route(table.id, "0.0.0.0/0", None, nat_gateway_id=nat.id)
        else:
            self.ec2.create_route(table.id, "0.0.0.0/0", None, gateway_id=gateway.id)

    def create_group(self, group):
        name = group["name"]
        user_data = "#!/bin/bash\n/etc/eks/bootstrap.sh {} --kubelet-extra-args '{}'\n".format(
            self.config["clusterName"],
            " ".join(kubelet_arguments(group)),
        )
        template = self.ec2.create_launch_template(
            name=f"lab-{name}",
            description="",
            template_data={
                "ImageId": "ami-12c6146b",
                "InstanceType": group["instanceType"],
                "UserData": base64.b64encode(user_data.encode()).decode(),
                "IamInstanceProfile": {"Name": "lab-node"},
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            },
            tag_spec={},
        )
        zones = set(group["zones"])
        subnets = [s for s in self.subnets if s.availability_zone in zones]
        key = str(uuid.uuid4())
        group_name = f"eks-{name}-{key}" if group["managed"] else name
        tags = {f"kubernetes.io/cluster/{self.config['clusterName']}": "owned", "Name": name}
        tags["k8s.io/cluster-autoscaler/enabled"] = "true"
        if group["managed"]:
            tags["eks:cluster-name"] = self.config["clusterName"]
            tags["eks:nodegroup-name"] = name
        self.asg.create_auto_scaling_group(
            name=group_name,
            availability_zones=[],
            desired_capacity=group["desired"],
            max_size=group["max"],
            min_size=group["min"],
            launch_config_name=None,
            launch_template={"LaunchTemplateId": template.id, "Version": "$Latest"},
            vpc_zone_identifier=",".join(s.id for s in subnets),
            default_cooldown=None,
            health_check_period=None,
            health_check_type=None,
            load_balancers=[],
            target_group_arns=[],
            placement_group=None,
            termination_policies=[],
            tags=[{"Key": k, "Value": v, "PropagateAtLaunch": True} for k, v in tags.items()],
        )
        if group["managed"]:
            nodegroup = self.eks.create_nodegroup(
                cluster_name=self.config["clusterName"],
                node_role=f"arn:aws:iam::{self.id}:role/lab-node",
                nodegroup_name=name,
                subnets=[s.id for s in subnets],
                scaling_config={"minSize": group["min"], "maxSize": group["max"], "desiredSize": group["desired"]},
                instance_types=[group["instanceType"]],
                ami_type="AL2023_x86_64_STANDARD",
                labels=dict(group["labels"]),
                taints=list(group["taints"]),
                version=self.config["kubernetesVersion"],
                release_version=f"{self.config['kubernetesVersion']}.3-20260801",
            )
            nodegroup.resources = {"autoScalingGroups": [{"name": group_name}]}


def kubelet_arguments(group):
    """A group of one's own passes labels and taints through its user data; EKS does it for its managed groups."""
    if group["managed"]:
        return []
    arguments = []
    if group["labels"]:
        arguments.append("--node-labels=" + ",".join(f"{k}={v}" for k, v in group["labels"].items()))
    if group["taints"]:
        effects = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
        arguments.append("--register-with-taints=" + ",".join(f"{t['key']}={t.get('value', '')}:{effects.get(t['effect'], t['effect'])}" for t in group["taints"]))
    return arguments
