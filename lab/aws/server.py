"""The lab's AWS: moto in this process, behind a front that plays what moto lacks. `python server.py CONFIG.json`"""

import base64
import binascii
import io
import json
import os
import re
import sys
import threading
import time
import urllib.parse
import uuid
from pathlib import Path
from xml.sax.saxutils import escape

os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "false")

from moto.core.types import Base64EncodedString  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

import groups  # noqa: E402
from addons import Addons, EksError  # noqa: E402
from gaps import Gaps, Refusal  # noqa: E402
from seed import Account  # noqa: E402

LAB = "/_lab/"
CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")


class Aws:
    def __init__(self, config):
        self.config = config
        self.cloud = groups.Cloud(config)
        groups.install(self.cloud)
        self.account = Account(config)
        self.addons = Addons(self.cloud, config, lambda: self.account.eks.clusters)
        self.gaps = Gaps(self.cloud)
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.subnet_addresses = {}
        self.cloud.on_tick.append(self.sync_nodegroups)
        self.scaling_seen = {}

    def start(self):
        with self.cloud.lock:
            patch_subnets(self.subnet_addresses)
            patch_tags()
            self.account.seed(self.addons)
            self.cloud.groups = lambda: self.account.asg.autoscaling_groups.values()
        threading.Thread(target=self.cloud.run, daemon=True).start()

    def sync_nodegroups(self):
        """As EKS and its groups keep each other: UpdateNodegroupConfig sets the sizes that it names, and DesiredCapacity comes back."""
        for cluster in self.account.eks.clusters.values():
            for nodegroup in cluster.nodegroups.values():
                scaling = dict(nodegroup.scaling_config or {})
                before = self.scaling_seen.setdefault(nodegroup.arn, scaling)
                for reference in nodegroup.resources["autoScalingGroups"]:
                    group = self.account.asg.autoscaling_groups.get(reference["name"])
                    if not group:
                        continue
                    if scaling != before:
                        group.min_size, group.max_size = scaling["minSize"], scaling["maxSize"]
                        if scaling["desiredSize"] != before["desiredSize"]:
                            group.set_desired_capacity(scaling["desiredSize"])
                    # Whoever moved it (an autoscaler, a termination with decrement): EKS tells what the group has.
                    scaling["desiredSize"] = group.desired_capacity
                    nodegroup.scaling_config = dict(scaling)
                self.scaling_seen[nodegroup.arn] = scaling

    # -- WSGI ----------------------------------------------------------------------------------------------------

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "/")
        size = int(environ.get("CONTENT_LENGTH") or 0)
        raw = environ["wsgi.input"].read(size) if size else b""
        environ["wsgi.input"] = io.BytesIO(raw)
        if path.startswith(LAB):
            return respond(start_response, 200, self.lab(path[len(LAB) :], raw, environ))
        query = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        form = query | (dict(urllib.parse.parse_qsl(raw.decode(), keep_blank_values=True)) if is_form(environ) else {})
        if "HTTP_AUTHORIZATION" not in environ and "X-Amz-Credential" in query:
            # moto finds service and caller of a presigned URL (an EKS token is one) only in this header.
            environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={query['X-Amz-Credential']}, SignedHeaders=host, Signature=none"
        service, action = self.identify(environ, form)
        try:
            with self.cloud.lock:
                self.gaps.refuse(service, action, form)
                if service == "eks":
                    body = json.loads(raw) if raw else {}
                    found = self.addons.handle(environ["REQUEST_METHOD"], path, query, body)
                    if found is not None:
                        return respond(start_response, 200, found)
                found = self.gaps.handle(service, action, form)
                if found is not None:
                    return respond(start_response, 200, found, "text/xml")
                result = list(self.moto(environ, start_response))
                if not action.startswith(("Describe", "Get", "List")):
                    self.cloud.touch()
                return result
        except EksError as error:
            return respond(start_response, error.status, error.body, headers=[("x-amzn-ErrorType", error.code)])
        except Refusal as error:
            return refuse(start_response, service, error)

    @staticmethod
    def identify(environ, form):
        match = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        service = match.group(1) if match else form.get("X-Amz-Credential", "///sts").split("/")[3]
        action = form.get("Action") or environ.get("HTTP_X_LAB_ACTION", environ["REQUEST_METHOD"])
        return service, action

    # -- the lab's own door (glue and tests) ----------------------------------------------------------------------

    def lab(self, verb, raw, environ):
        body = json.loads(raw) if raw else {}
        cloud = self.cloud
        with cloud.lock:
            if verb == "state":
                query = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", "")))
                deadline = time.monotonic() + 20
                while cloud.version <= int(query.get("after", -1)) and time.monotonic() < deadline:
                    cloud.changed.wait(deadline - time.monotonic())
                return self.state()
            if verb == "addon-done":
                self.addons.done(body["id"], body.get("error"))
            elif verb == "run-instance":
                subnet = next(s for s in self.account.subnets if s.availability_zone == body["zone"])
                return {"id": groups.run_instance(cloud, self.account.ec2, {**body, "subnet": subnet.id}).id}
            elif verb == "terminate-instance":
                self.account.ec2.get_instance(body["id"]).terminate()
            elif verb == "set":
                self.set(body)
            elif verb == "eks-update":
                update = self.addons.new_update(body.get("type", "VersionUpdate"), [], body.get("scope", {}))
                update["status"] = body.get("status", "InProgress")
                return update
            return {"version": cloud.version}

    def set(self, body):
        if "denied" in body:
            self.gaps.denied = body["denied"]
        if "instanceRefreshes" in body:
            self.gaps.refreshes = body["instanceRefreshes"]
        if "availableIpAddressCount" in body:
            self.subnet_addresses.clear()
            self.subnet_addresses.update(body["availableIpAddressCount"])
        if "addonSchemaHasAffinity" in body:
            self.addons.schema_has_affinity = body["addonSchemaHasAffinity"]
        if "launchesHeld" in body:
            self.cloud.launches_held = body["launchesHeld"]
        if "launchFailure" in body:
            self.cloud.launch_failure = body["launchFailure"]
        if "instanceTerminationDelay" in body:
            self.cloud.termination_delay = body["instanceTerminationDelay"] / 1000
        for update in body.get("eksUpdates", []):
            self.addons.updates[update["id"]]["status"] = update["status"]
        self.cloud.touch()

    def state(self):
        managed = {}
        for cluster in self.account.eks.clusters.values():
            for nodegroup in cluster.nodegroups.values():
                for reference in nodegroup.resources["autoScalingGroups"]:
                    managed[reference["name"]] = nodegroup
        members = {s.instance.id: s for s in self.account.asg.describe_auto_scaling_instances([])}
        instances = []
        for reservation in self.account.ec2.reservations.values():
            for instance in reservation.instances:
                tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
                group = tags.get("aws:autoscaling:groupName", "")
                nodegroup = managed.get(group)
                member = members.get(instance.id)
                instances.append(
                    {
                        "id": instance.id,
                        "state": instance.state,
                        "group": group,
                        "lifecycle": member.lifecycle_state if member else "",
                        "zone": instance.availability_zone,
                        "region": self.config["region"],
                        "type": instance.instance_type,
                        "subnet": instance.subnet_id,
                        "address": instance.private_ip,
                        "name": instance.private_dns_name,
                        "nodegroup": nodegroup.nodegroup_name if nodegroup else "",
                        "image": instance.image_id,
                        "labels": dict(nodegroup.labels) if nodegroup else {},
                        "taints": list(nodegroup.taints) if nodegroup else [],
                        "userData": decode(instance.user_data),
                    }
                )
        jobs = [{k: job[k] for k in ("id", "addon", "action", "conflicts", "values", "version", "role")} for job in self.addons.jobs]
        autoscaling = [
            {
                "name": g.name,
                "min": g.min_size,
                "max": g.max_size,
                "desired": g.desired_capacity,
                "suspended": sorted(p["ProcessName"] for p in g.suspended_processes),
            }
            for g in self.account.asg.autoscaling_groups.values()
        ]
        return {"version": self.cloud.version, "instances": instances, "jobs": jobs, "groups": autoscaling, "subnets": [s.id for s in self.account.subnets]}


def decode(user_data):
    if isinstance(user_data, Base64EncodedString):
        return user_data.decode()
    try:
        return base64.b64decode(user_data or "").decode(errors="replace")
    except (binascii.Error, TypeError, ValueError):
        return str(user_data or "")


def patch_subnets(overrides):
    from moto.ec2.models.subnets import Subnet

    original = Subnet.available_ip_address_count.fget
    Subnet.available_ip_address_count = property(lambda self: overrides.get(self.id, original(self)))


def patch_tags():
    """moto looks through the tags of everything for those of one resource: with a thousand instances it does nothing else."""
    from moto.ec2.models.core import TaggedEC2Resource
    from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

    def get_tags(self):
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "")
        held = self.ec2_backend.tags.get(self.id, {})
        return [{"resource_id": self.id, "key": key, "value": value, "resource_type": kind} for key, value in held.items()]

    TaggedEC2Resource.get_tags = get_tags


def is_form(environ):
    return environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")


def respond(start_response, status, body, content_type="application/json", headers=()):
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    start_response(f"{status} Lab", [("Content-Type", content_type), ("Content-Length", str(len(data))), *headers])
    return [data]


def refuse(start_response, service, error):
    message, request = escape(str(error)), uuid.uuid4()
    if service == "eks":
        return respond(start_response, error.status, {"message": str(error)}, headers=[("x-amzn-ErrorType", error.code)])
    if service == "ec2":
        body = f"<Response><Errors><Error><Code>{error.code}</Code><Message>{message}</Message></Error></Errors><RequestID>{request}</RequestID></Response>"
    else:
        body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{error.code}</Code><Message>{message}</Message></Error><RequestId>{request}</RequestId></ErrorResponse>"
    return respond(start_response, error.status, body, "text/xml")


class Quiet(MotoRequestHandler):
    # Keep-alive: the SDKs poll, and a new connection a call costs more than the call.
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


def main():
    config = json.loads(Path(sys.argv[1]).read_text())
    aws = Aws(config)
    aws.start()
    server = make_server("127.0.0.1", 0, aws, threaded=True, request_handler=Quiet)
    server.daemon_threads = True
    ready = Path(config["portFile"])
    ready.with_suffix(".tmp").write_text(str(server.server_port))
    ready.with_suffix(".tmp").rename(ready)
    server.serve_forever()


if __name__ == "__main__":
    main()
