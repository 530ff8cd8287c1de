"""Query-protocol calls that moto lacks or only pretends to answer, and the refusals that a test can ask for."""

import fnmatch
import uuid
from xml.sax.saxutils import escape

NAMESPACES = {
    "autoscaling": "http://autoscaling.amazonaws.com/doc/2011-01-01/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "ec2": "http://ec2.amazonaws.com/doc/2016-11-15/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def to_xml(value):
    if isinstance(value, dict):
        return "".join(f"<{key}>{to_xml(item)}</{key}>" for key, item in value.items() if item is not None)
    if isinstance(value, list):
        return "".join(f"<member>{to_xml(item)}</member>" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))


def answer(service, action, result):
    body = f'<{action}Response xmlns="{NAMESPACES[service]}"><{action}Result>{to_xml(result)}</{action}Result>'
    return body + f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"


def members(form, prefix):
    """The list that a form spells as prefix.member.1, prefix.member.2 …"""
    found = []
    while f"{prefix}.member.{len(found) + 1}" in form:
        found.append(form[f"{prefix}.member.{len(found) + 1}"])
    return found


class Gaps:
    def __init__(self, cloud):
        self.cloud = cloud
        self.refreshes = []
        self.denied = []

    def is_denied(self, service, action):
        return any(fnmatch.fnmatchcase(f"{service}:{action}".lower(), pattern.lower()) for pattern in self.denied)

    def refuse(self, service, action, form):
        """Raises what AWS answers to a caller without the right, or to a dry run."""
        if self.is_denied(service, action):
            message = f"User: arn:aws:sts::123456789012:user/moto is not authorized to perform: {service}:{action}"
            if service == "ec2":
                raise Refusal(403, "UnauthorizedOperation", "You are not authorized to perform this operation. " + message)
            raise Refusal(403, "AccessDeniedException" if service == "eks" else "AccessDenied", message)
        if service == "ec2" and form.get("DryRun", "").lower() == "true":
            raise Refusal(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")

    def handle(self, service, action, form):
        if service == "autoscaling" and action == "DescribeInstanceRefreshes":
            found = [r for r in self.refreshes if r.get("AutoScalingGroupName") == form.get("AutoScalingGroupName")]
            return answer(service, action, {"InstanceRefreshes": found})
        if service == "autoscaling" and action == "DescribeScalingActivities":
            name = form.get("AutoScalingGroupName")
            groups = [name] if name else list(self.cloud.activities)
            return answer(service, action, {"Activities": [a for g in groups for a in self.cloud.activities.get(g, [])][:100]})
        if service == "iam" and action == "SimulatePrincipalPolicy":
            resources = members(form, "ResourceArns") or ["*"]
            results = []
            for name in members(form, "ActionNames"):
                namespace, _, call = name.partition(":")
                decision = "implicitDeny" if self.is_denied(namespace, call) else "allowed"
                for resource in resources:
                    results.append(
                        {"EvalActionName": name, "EvalResourceName": resource, "EvalDecision": decision, "MatchedStatements": [], "MissingContextValues": []}
                    )
            return answer(service, action, {"IsTruncated": False, "EvaluationResults": results})
        return None
