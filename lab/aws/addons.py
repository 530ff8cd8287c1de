"""EKS add-ons, updates and pod identity: the part of EKS that moto lacks.

A change is 'InProgress' for a while, then handed to the lab's glue (which server-side-applies it as `eks`), and becomes
'Successful' or 'Failed' with what the API server said.
"""

import json
import re
import time
import uuid

import jsonschema
import yaml

VERSIONS = {
    "vpc-cni": ["v1.21.1-eksbuild.3", "v1.20.4-eksbuild.2", "v1.19.6-eksbuild.7", "v1.18.6-eksbuild.1"],
    "coredns": ["v1.12.4-eksbuild.1"],
    "kube-proxy": ["v1.36.0-eksbuild.2"],
}
STRING = {"type": "string"}
BOOLEANISH = {"type": "string", "pattern": "^(true|false)$"}
NUMERIC = {"type": "string", "pattern": "^[0-9]+$"}
ANY_OBJECT = {"type": "object", "additionalProperties": True}
TERM = {
    "type": "object",
    "properties": {"matchExpressions": {"type": "array", "items": ANY_OBJECT}, "matchFields": {"type": "array", "items": ANY_OBJECT}},
    "additionalProperties": False,
}
AFFINITY = {
    "type": ["object", "null"],
    "properties": {
        "nodeAffinity": {
            "type": ["object", "null"],
            "properties": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "type": ["object", "null"],
                    "properties": {"nodeSelectorTerms": {"type": "array", "items": TERM}},
                    "additionalProperties": False,
                },
                "preferredDuringSchedulingIgnoredDuringExecution": {"type": ["array", "null"], "items": ANY_OBJECT},
            },
            "additionalProperties": False,
        },
        "podAffinity": {"type": ["object", "null"]},
        "podAntiAffinity": {"type": ["object", "null"]},
    },
    "additionalProperties": False,
}
ENVIRONMENT = {
    "ADDITIONAL_ENI_TAGS": STRING,
    "ANNOTATE_POD_IP": BOOLEANISH,
    "AWS_EC2_ENDPOINT": STRING,
    "AWS_EXTERNAL_SERVICE_CIDRS": STRING,
    "AWS_MANAGE_ENIS_NON_SCHEDULABLE": BOOLEANISH,
    "AWS_VPC_CNI_NODE_PORT_SUPPORT": BOOLEANISH,
    "AWS_VPC_ENI_MTU": NUMERIC,
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": BOOLEANISH,
    "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS": STRING,
    "AWS_VPC_K8S_CNI_EXTERNALSNAT": BOOLEANISH,
    "AWS_VPC_K8S_CNI_LOGLEVEL": STRING,
    "AWS_VPC_K8S_CNI_LOG_FILE": STRING,
    "AWS_VPC_K8S_CNI_RANDOMIZESNAT": STRING,
    "AWS_VPC_K8S_CNI_VETHPREFIX": STRING,
    "AWS_VPC_K8S_PLUGIN_LOG_FILE": STRING,
    "AWS_VPC_K8S_PLUGIN_LOG_LEVEL": STRING,
    "CLUSTER_ENDPOINT": STRING,
    "DISABLE_INTROSPECTION": BOOLEANISH,
    "DISABLE_LEAKED_ENI_CLEANUP": BOOLEANISH,
    "DISABLE_METRICS": BOOLEANISH,
    "DISABLE_NETWORK_RESOURCE_PROVISIONING": BOOLEANISH,
    "DISABLE_POD_V6": BOOLEANISH,
    "ENABLE_BANDWIDTH_PLUGIN": BOOLEANISH,
    "ENABLE_POD_ENI": BOOLEANISH,
    "ENABLE_PREFIX_DELEGATION": BOOLEANISH,
    "ENABLE_SUBNET_DISCOVERY": BOOLEANISH,
    "ENABLE_V4_EGRESS": BOOLEANISH,
    "ENABLE_V6_EGRESS": BOOLEANISH,
    "ENI_CONFIG_ANNOTATION_DEF": STRING,
    "ENI_CONFIG_LABEL_DEF": STRING,
    "INTROSPECTION_BIND_ADDRESS": STRING,
    "IP_COOLDOWN_PERIOD": NUMERIC,
    "MAX_ENI": NUMERIC,
    "MINIMUM_IP_TARGET": NUMERIC,
    "NETWORK_POLICY_ENFORCING_MODE": {"type": "string", "enum": ["standard", "strict"]},
    "POD_SECURITY_GROUP_ENFORCING_MODE": STRING,
    "WARM_ENI_TARGET": NUMERIC,
    "WARM_IP_TARGET": NUMERIC,
    "WARM_PREFIX_TARGET": NUMERIC,
}


def vpc_cni_schema(with_affinity):
    properties = {
        "env": {"type": "object", "properties": ENVIRONMENT, "additionalProperties": False},
        "init": {"type": "object", "properties": {"env": ANY_OBJECT}, "additionalProperties": False},
        "nodeAgent": {
            "type": "object",
            "properties": {
                "enablePolicyEventLogs": BOOLEANISH,
                "enableCloudWatchLogs": BOOLEANISH,
                "enableIpv6": BOOLEANISH,
                "healthProbeBindAddr": STRING,
                "metricsBindAddr": STRING,
                "conntrackCacheCleanupPeriod": NUMERIC,
                "resources": ANY_OBJECT,
            },
            "additionalProperties": False,
        },
        "enableNetworkPolicy": BOOLEANISH,
        "enableWindowsIpam": BOOLEANISH,
        "enableWindowsPrefixDelegation": BOOLEANISH,
        "warmWindowsPrefixTarget": {"type": "integer"},
        "warmWindowsIPTarget": {"type": "integer"},
        "minimumWindowsIPTarget": {"type": "integer"},
        "branchENICooldown": {"type": "integer"},
        "eniConfig": {
            "type": "object",
            "properties": {"create": {"type": "boolean"}, "region": STRING, "subnets": ANY_OBJECT},
            "additionalProperties": False,
        },
        "livenessProbeTimeoutSeconds": {"type": "integer"},
        "readinessProbeTimeoutSeconds": {"type": "integer"},
        "podAnnotations": ANY_OBJECT,
        "podLabels": ANY_OBJECT,
        "resources": ANY_OBJECT,
        "tolerations": {"type": "array", "items": ANY_OBJECT},
    }
    if with_affinity:
        properties["affinity"] = {"$ref": "#/definitions/Affinity"}
    definition = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "$schema": "http://json-schema.org/draft-06/schema#",
        "$ref": "#/definitions/VpcCni",
        "definitions": {"VpcCni": definition, "Affinity": AFFINITY},
        "description": "vpc-cni",
    }


class EksError(Exception):
    def __init__(self, status, code, message, **extra):
        super().__init__(message)
        self.status, self.code, self.body = status, code, {"message": message, **extra}


def not_found(message, **extra):
    return EksError(404, "ResourceNotFoundException", message, **extra)


def invalid(message, **extra):
    return EksError(400, "InvalidParameterException", message, **extra)


class Addons:
    def __init__(self, cloud, config, clusters):
        self.cloud = cloud
        self.config = config
        self.clusters = clusters
        self.delay = config["addonDelay"] / 1000
        self.addons = {}
        self.updates = {}
        self.associations = {}
        self.schema_has_affinity = True
        # What the glue must do next, oldest first, until it says that it has.
        self.jobs = []

    # -- requests ------------------------------------------------------------------------------------------------

    def routes(self):
        cluster = r"^/clusters/(?P<cluster>[^/]+)"
        return [
            ("GET", re.compile(r"^/addons/supported-versions$"), self.describe_versions),
            ("GET", re.compile(r"^/addons/configuration-schemas$"), self.describe_configuration),
            ("POST", re.compile(cluster + r"/addons$"), self.create),
            ("GET", re.compile(cluster + r"/addons$"), self.list),
            ("GET", re.compile(cluster + r"/addons/(?P<name>[^/]+)$"), self.describe),
            ("DELETE", re.compile(cluster + r"/addons/(?P<name>[^/]+)$"), self.delete),
            ("POST", re.compile(cluster + r"/addons/(?P<name>[^/]+)/update$"), self.update),
            ("GET", re.compile(cluster + r"/updates$"), self.list_updates),
            ("GET", re.compile(cluster + r"/updates/(?P<update>[^/]+)$"), self.describe_update),
            ("GET", re.compile(cluster + r"/pod-identity-associations$"), self.list_associations),
            ("POST", re.compile(cluster + r"/pod-identity-associations$"), self.create_association),
            ("GET", re.compile(cluster + r"/pod-identity-associations/(?P<association>[^/]+)$"), self.describe_association),
            ("DELETE", re.compile(cluster + r"/pod-identity-associations/(?P<association>[^/]+)$"), self.delete_association),
        ]

    def handle(self, method, path, query, body):
        """The JSON answer to an EKS call, or None when it is moto's."""
        for verb, pattern, action in self.routes():
            match = pattern.match(path) if verb == method else None
            if match:
                groups = match.groupdict()
                if "cluster" in groups and groups["cluster"] not in self.clusters():
                    raise not_found(f"No cluster found for name: {groups['cluster']}.", clusterName=groups["cluster"])
                return action(query=query, body=body, **groups)
        return None

    def describe_versions(self, query, body):
        wanted = query.get("addonName")
        kubernetes = query.get("kubernetesVersion", self.config["kubernetesVersion"])
        return {
            "addons": [
                {
                    "addonName": name,
                    "type": "networking",
                    "owner": "aws",
                    "publisher": "eks",
                    "addonVersions": [
                        {
                            "addonVersion": version,
                            "architecture": ["amd64", "arm64"],
                            "computeTypes": ["ec2"],
                            "compatibilities": [{"clusterVersion": kubernetes, "platformVersions": ["*"], "defaultVersion": index == 0}],
                            "requiresConfiguration": False,
                            "requiresIamPermissions": name == "vpc-cni",
                        }
                        for index, version in enumerate(versions)
                    ],
                }
                for name, versions in VERSIONS.items()
                if wanted in (None, name)
            ]
        }

    def describe_configuration(self, query, body):
        name, version = query.get("addonName"), query.get("addonVersion")
        if version not in VERSIONS.get(name, []):
            raise not_found(f"Addon {name} with version {version} was not found", addonName=name)
        schema = vpc_cni_schema(self.schema_has_affinity) if name == "vpc-cni" else {"type": "object"}
        return {"addonName": name, "addonVersion": version, "configurationSchema": json.dumps(schema), "podIdentityConfiguration": []}

    def create(self, cluster, query, body):
        name = body["addonName"]
        if name in self.addons:
            raise EksError(409, "ResourceInUseException", f"Addon already exists.", clusterName=cluster, addonName=name)
        if name not in VERSIONS:
            raise invalid(f"Addon {name} is not supported", addonName=name)
        version = self.check_version(name, body.get("addonVersion") or VERSIONS[name][0])
        self.check_configuration(name, body.get("configurationValues"))
        addon = self.seed(cluster, name, version, body.get("configurationValues"), body.get("serviceAccountRoleArn"))
        addon["status"] = "CREATING"
        addon["tags"] = body.get("tags", {})
        self.associate(cluster, addon, body.get("podIdentityAssociations"))
        self.schedule(addon, None, "apply", body.get("resolveConflicts", "NONE"))
        return {"addon": self.view(addon)}

    def seed(self, cluster, name, version, configuration, role):
        """An add-on that is there; used for the lab's own start as well."""
        now = time.time()
        addon = {
            "addonName": name,
            "clusterName": cluster,
            "status": "ACTIVE",
            "addonVersion": version,
            "health": {"issues": []},
            "addonArn": f"arn:aws:eks:{self.config['region']}:{self.config['account']}:addon/{cluster}/{name}/{uuid.uuid4()}",
            "createdAt": now,
            "modifiedAt": now,
            "tags": {},
            "podIdentityAssociations": [],
            "owner": "aws",
            "publisher": "eks",
        }
        if role:
            addon["serviceAccountRoleArn"] = role
        if configuration:
            addon["configurationValues"] = configuration
        self.addons[name] = addon
        return addon

    def list(self, cluster, query, body):
        return {"addons": sorted(self.addons)}

    def describe(self, cluster, name, query, body):
        return {"addon": self.view(self.find(cluster, name))}

    def delete(self, cluster, name, query, body):
        addon = self.find(cluster, name)
        addon["status"] = "DELETING"
        preserve = query.get("preserve") == "true"
        self.schedule(addon, None, "release" if preserve else "delete", "OVERWRITE")
        return {"addon": self.view(addon)}

    def update(self, cluster, name, query, body):
        addon = self.find(cluster, name)
        if addon["status"] in ("UPDATING", "CREATING", "DELETING"):
            raise EksError(409, "ResourceInUseException", f"Addon {name} cannot be updated as it is currently in {addon['status']} state", clusterName=cluster, addonName=name)
        version = self.check_version(name, body.get("addonVersion") or addon["addonVersion"])
        self.check_configuration(name, body.get("configurationValues"))
        conflicts = body.get("resolveConflicts", "NONE")
        parameters = [{"type": "AddonVersion", "value": version}, {"type": "ResolveConflicts", "value": conflicts}]
        if "configurationValues" in body:
            parameters.append({"type": "ConfigurationValues", "value": body["configurationValues"] or ""})
        if "serviceAccountRoleArn" in body:
            parameters.append({"type": "ServiceAccountRoleArn", "value": body["serviceAccountRoleArn"] or ""})
        update = self.new_update("AddonUpdate", parameters, {"addonName": name})
        before = dict(addon)
        # Left out means: as it is. An empty string means: back to the defaults.
        for key in ("configurationValues", "serviceAccountRoleArn"):
            if key in body:
                addon.pop(key, None)
                if body[key]:
                    addon[key] = body[key]
        self.associate(cluster, addon, body.get("podIdentityAssociations"))
        addon["addonVersion"] = version
        addon["status"] = "UPDATING"
        addon["modifiedAt"] = time.time()
        self.schedule(addon, update, "apply", conflicts, before)
        return {"update": {k: v for k, v in update.items() if k != "scope"}}

    def list_updates(self, cluster, query, body):
        wanted = {k: query[k] for k in ("addonName", "nodegroupName") if k in query}
        return {"updateIds": [u["id"] for u in self.updates.values() if u["scope"] == wanted]}

    def describe_update(self, cluster, update, query, body):
        found = self.updates.get(update)
        if found is None:
            raise not_found(f"No update found for ID: {update}", clusterName=cluster)
        return {"update": {k: v for k, v in found.items() if k != "scope"}}

    def list_associations(self, cluster, query, body):
        found = [
            {k: a[k] for k in ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn") if k in a}
            for a in self.associations.values()
            if query.get("namespace") in (None, a["namespace"]) and query.get("serviceAccount") in (None, a["serviceAccount"])
        ]
        return {"associations": found}

    def create_association(self, cluster, query, body):
        return {"association": self.new_association(cluster, body)}

    def describe_association(self, cluster, association, query, body):
        if association not in self.associations:
            raise not_found(f"Association {association} not found", clusterName=cluster)
        return {"association": self.associations[association]}

    def delete_association(self, cluster, association, query, body):
        found = self.describe_association(cluster, association, query, body)
        del self.associations[association]
        return found

    # -- helpers -------------------------------------------------------------------------------------------------

    def associate(self, cluster, addon, wanted):
        if wanted is None:
            return
        for arn in addon["podIdentityAssociations"]:
            self.associations.pop(arn.rsplit("/", 1)[-1], None)
        made = [self.new_association(cluster, {"namespace": "kube-system", **item}, addon["addonArn"]) for item in wanted]
        addon["podIdentityAssociations"] = [item["associationArn"] for item in made]

    def new_association(self, cluster, body, owner=None):
        key = "a-" + uuid.uuid4().hex[:17]
        association = {
            "clusterName": cluster,
            "namespace": body["namespace"],
            "serviceAccount": body["serviceAccount"],
            "roleArn": body["roleArn"],
            "associationArn": f"arn:aws:eks:{self.config['region']}:{self.config['account']}:podidentityassociation/{cluster}/{key}",
            "associationId": key,
            "createdAt": time.time(),
            "modifiedAt": time.time(),
            "tags": body.get("tags", {}),
        }
        if owner:
            association["ownerArn"] = owner
        self.associations[key] = association
        return association

    def find(self, cluster, name):
        if name not in self.addons:
            raise not_found(f"No addon: {name} found in cluster: {cluster}", clusterName=cluster, addonName=name)
        return self.addons[name]

    @staticmethod
    def view(addon):
        return {key: value for key, value in addon.items()}

    @staticmethod
    def check_version(name, version):
        if version not in VERSIONS[name]:
            raise invalid(f"Addon version specified is not supported: {version}", addonName=name)
        return version

    def check_configuration(self, name, text):
        if not text:
            return
        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError:
            values = None
        if not isinstance(values, dict):
            raise invalid("ConfigurationValue is not in a valid JSON or YAML format", addonName=name)
        if name != "vpc-cni":
            return
        schema = vpc_cni_schema(self.schema_has_affinity)
        errors = [f"$.{'.'.join(str(p) for p in e.absolute_path)}: {e.message}" for e in jsonschema.Draft6Validator(schema).iter_errors(values)]
        if errors:
            raise invalid(f"ConfigurationValue provided in request is not supported: Json schema validation failed with error: [{', '.join(errors)}]", addonName=name)

    def new_update(self, kind, parameters, scope):
        update = {"id": str(uuid.uuid4()), "status": "InProgress", "type": kind, "params": parameters, "createdAt": time.time(), "errors": [], "scope": scope}
        self.updates[update["id"]] = update
        return update

    def schedule(self, addon, update, action, conflicts, before=None):
        job = {"id": str(uuid.uuid4()), "addon": addon["addonName"], "action": action, "conflicts": conflicts, "before": before, "update": update}
        job["values"] = addon.get("configurationValues", "")
        job["version"] = addon["addonVersion"]
        job["role"] = addon.get("serviceAccountRoleArn", "")

        def hand_over():
            if addon["addonName"] == "vpc-cni":
                self.jobs.append(job)
            else:
                self.finish(job, None)
            self.cloud.touch()

        self.cloud.at(self.delay, hand_over)

    def done(self, job_id, error):
        """The glue's answer: the job is done, or why it cannot be."""
        for job in list(self.jobs):
            if job["id"] == job_id:
                self.jobs.remove(job)
                self.finish(job, error)

    def finish(self, job, error):
        name, update = job["addon"], job["update"]
        addon = self.addons.get(name)
        if job["action"] in ("delete", "release"):
            if addon:
                for arn in addon["podIdentityAssociations"]:
                    self.associations.pop(arn.rsplit("/", 1)[-1], None)
            self.addons.pop(name, None)
        elif addon and error:
            if job["before"]:
                for key in ("addonVersion", "configurationValues", "serviceAccountRoleArn"):
                    addon.pop(key, None)
                    if key in job["before"]:
                        addon[key] = job["before"][key]
            addon["status"] = "UPDATE_FAILED" if update else "CREATE_FAILED"
            addon["health"] = {"issues": [{"code": "ConfigurationConflict", "message": error, "resourceIds": []}]}
            if update:
                update["status"] = "Failed"
                update["errors"] = [{"errorCode": "ConfigurationConflict", "errorMessage": error, "resourceIds": []}]
        elif addon:
            addon["status"] = "ACTIVE"
            addon["health"] = {"issues": []}
            if update:
                update["status"] = "Successful"
        self.cloud.touch()
