"""Makes moto's EC2 and Auto Scaling behave like AWS where a node roller would notice the difference.

moto launches and terminates at once, in one subnet, past MinSize and MaxSize. Here a group has a desired capacity and a
loop that works towards it: pending, running, shutting-down, terminated, each taking its time, zones kept even.
"""

import base64
import copy
import threading
import time
import traceback

from moto.autoscaling import models as asg
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.core.types import Base64EncodedString
from moto.ec2.models import instances as ec2
from moto.ec2.models.launch_templates import LaunchTemplateVersion

SHUTTING_DOWN = ("shutting-down", 32)
PENDING = ("pending", 0)
RUNNING = ("running", 16)

NOT_MANAGED = "Instance Id not found - No managed instance found for instance ID {}"
BELOW_MIN = (
    "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's min size "
    "constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size."
)


class ScalingActivityInProgress(AutoscalingClientError):
    code = "ScalingActivityInProgress"


class Cloud:
    """The loop, its timers and its clock. One lock guards moto as a whole: moto itself is not made for threads."""

    def __init__(self, config):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.pending_delay = config["pendingDelay"] / 1000
        self.termination_delay = config["instanceTerminationDelay"] / 1000
        self.reuse_address = config["reuseAddress"]
        self.launches_held = False
        self.launch_failure = None
        self.failed_at = {}
        self.timers = []
        self.groups = lambda: []
        self.free_addresses = {}
        self.activities = {}
        self.fleet = {}
        self.on_tick = []
        self.version = 0

    def at(self, delay, action):
        self.timers.append((time.monotonic() + delay, action))
        self.changed.notify_all()

    def touch(self):
        """Something that the glue may want to see has changed."""
        self.version += 1
        self.changed.notify_all()

    def run(self):
        while True:
            with self.lock:
                now = time.monotonic()
                due = [timer for timer in self.timers if timer[0] <= now]
                self.timers = [timer for timer in self.timers if timer[0] > now]
                for _, action in due:
                    action()
                before = self.version
                try:
                    for group in list(self.groups()):
                        reconcile(self, group)
                    for hook in self.on_tick:
                        hook()
                except Exception:  # noqa: BLE001 - a loop that dies silently is a cloud that hangs
                    traceback.print_exc()
                    self.changed.wait(1)
                if due:
                    self.touch()
                if due or self.version != before:
                    continue
                wait = min((timer[0] for timer in self.timers), default=now + 5) - time.monotonic()
                self.changed.wait(max(0.005, min(wait, 5)))

    def record(self, group, description, cause, status="Successful"):
        """What DescribeScalingActivities tells; newest first, as AWS does."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        entry = {
            "ActivityId": str(asg.random.uuid4()),
            "AutoScalingGroupName": group.name,
            "Description": description,
            "Cause": f"At {now} {cause}",
            "StartTime": now,
            "EndTime": now,
            "StatusCode": status,
            "Progress": 100,
        }
        self.activities.setdefault(group.name, []).insert(0, entry)
        return entry


def live(group):
    """The instances that count against the desired capacity."""
    return [s for s in group.instance_states if s.lifecycle_state in ("InService", "Pending")]


def suspended(group, process):
    return any(entry["ProcessName"] == process for entry in group.suspended_processes)


def reconcile(cloud, group):
    for state in list(group.instance_states):
        settle(cloud, group, state)
    want = group.desired_capacity or 0
    have = live(group)
    occupying = len(have)
    if cloud.reuse_address:
        # EC2 gives an address out again only once its instance has let go of it.
        occupying += len([s for s in group.instance_states if s.lifecycle_state == "Terminating"])
    if occupying < want and not suspended(group, "Launch") and not cloud.launches_held:
        if cloud.launch_failure:
            fail_to_launch(cloud, group)
            return
        for _ in range(want - occupying):
            launch(cloud, group)
        cloud.touch()
    elif len(have) > want and not suspended(group, "Terminate"):
        for state in scale_in(group, have, len(have) - want):
            begin_termination(cloud, group, state, "in response to a difference between desired and actual capacity, shrinking the capacity")


def settle(cloud, group, state):
    name = state.instance.state
    if name == "terminated":
        group.instance_states.remove(state)
        cloud.touch()
    elif name == "shutting-down" and state.lifecycle_state in ("InService", "Pending", "Standby"):
        # Terminated behind the group's back; its health check notices.
        state.lifecycle_state = "Terminating"
        state.health_status = "Unhealthy"
        cloud.touch()
    elif (
        state.health_status == "Unhealthy"
        and state.lifecycle_state == "InService"
        and not suspended(group, "ReplaceUnhealthy")
        and not suspended(group, "HealthCheck")
    ):
        begin_termination(cloud, group, state, "in response to an ELB or user-set health check")


def fail_to_launch(cloud, group):
    """A group that cannot launch tries again and again; once a second here."""
    now = time.monotonic()
    if now - cloud.failed_at.get(group.name, 0) < 1:
        return
    cloud.failed_at[group.name] = now
    entry = cloud.record(group, "Launching a new EC2 instance", "an instance was started in response to a difference between desired and actual capacity.", "Failed")
    entry["StatusMessage"] = cloud.launch_failure


def launch(cloud, group):
    subnets = group.ec2_backend.describe_subnets(subnet_ids=(group.vpc_zone_identifier or "").split(","))
    counts = {subnet.availability_zone: 0 for subnet in subnets}
    for state in live(group):
        counts[state.availability_zone] = counts.get(state.availability_zone, 0) + 1
    order = [subnet.id for subnet in subnets]
    subnet = min(subnets, key=lambda s: (counts[s.availability_zone], order.index(s.id)))
    version = group.ec2_launch_template.get_version(group.launch_template_version)
    tags = {asg.ASG_NAME_TAG: group.name, **group.get_propagated_tags(), **group.instance_tags}
    free = cloud.free_addresses.get(subnet.id, []) if cloud.reuse_address else []
    address = free.pop(0) if free else None
    reservation = group.ec2_backend.run_instances(
        version.image_id,
        1,
        version.user_data,
        [],
        instance_type=version.instance_type,
        tags={"instance": tags},
        placement=subnet.availability_zone,
        launch_template={"LaunchTemplateId": group.ec2_launch_template.id, "Version": str(version.number)},
        is_instance_type_default=False,
        associate_public_ip=False,
        subnet_id=subnet.id,
        region_name=group.ec2_backend.region_name,
        **({"private_ip": address} if address else {}),
    )
    instance = reservation.instances[0]
    instance._state = ec2.InstanceState(*PENDING)
    instance.autoscaling_group = group
    state = asg.InstanceState(
        instance, lifecycle_state="Pending", protected_from_scale_in=group.new_instances_protected_from_scale_in
    )
    group.instance_states.append(state)
    cloud.record(group, f"Launching a new EC2 instance: {instance.id}", "an instance was started in response to a difference between desired and actual capacity.")

    def started():
        if instance.state == "pending":
            instance._state = ec2.InstanceState(*RUNNING)
            state.lifecycle_state = "InService"

    cloud.at(cloud.pending_delay, started)


def run_instance(cloud, backend, order):
    """One instance outside every group, as CreateFleet makes it; the same token gives the same instance."""
    known = cloud.fleet.get(order["token"])
    if known is not None:
        return known
    reservation = backend.run_instances(
        "ami-12c6146b",
        1,
        Base64EncodedString(base64.b64encode(order["userData"].encode()).decode()),
        [],
        instance_type=order["type"],
        tags={"instance": order["tags"]},
        placement=order["zone"],
        is_instance_type_default=False,
        associate_public_ip=False,
        subnet_id=order["subnet"],
        region_name=backend.region_name,
    )
    instance = reservation.instances[0]
    instance._state = ec2.InstanceState(*PENDING)
    cloud.fleet[order["token"]] = instance

    def started():
        if instance.state == "pending":
            instance._state = ec2.InstanceState(*RUNNING)

    cloud.at(cloud.pending_delay, started)
    cloud.touch()
    return instance


def scale_in(group, candidates, count):
    """AWS's default policy: the fullest zone first, then the oldest template and the oldest instance."""
    chosen = []
    pool = [s for s in candidates if not s.protected_from_scale_in]
    while pool and len(chosen) < count:
        zones = {}
        for state in pool:
            zones.setdefault(state.availability_zone, []).append(state)
        fullest = max(zones.values(), key=len)
        state = min(fullest, key=lambda s: s.instance.launch_time)
        pool.remove(state)
        chosen.append(state)
    return chosen


def begin_termination(cloud, group, state, cause):
    state.lifecycle_state = "Terminating"
    state.instance.terminate()
    entry = cloud.record(group, f"Terminating EC2 instance: {state.instance.id}", f"instance {state.instance.id} was taken out of service {cause}.")
    cloud.touch()
    return entry


def install(cloud):
    """Replaces the methods of moto that this lab plays itself."""

    def set_group_capacity(self, new_capacity):
        self.desired_capacity = self.min_size if new_capacity is None else new_capacity
        cloud.touch()

    def set_desired_capacity(self, group_name, desired_capacity):
        group = find_group(self, group_name)
        if desired_capacity > group.max_size:
            raise ValidationError(f"New SetDesiredCapacity value {desired_capacity} is above max value {group.max_size} for the AutoScalingGroup.")
        if desired_capacity < group.min_size:
            raise ValidationError(f"New SetDesiredCapacity value {desired_capacity} is below min value {group.min_size} for the AutoScalingGroup.")
        group.set_desired_capacity(desired_capacity)

    original_update = asg.AutoScalingBackend.update_auto_scaling_group

    def update_auto_scaling_group(self, name, **kwargs):
        group = find_group(self, name)
        low = group.min_size if kwargs.get("min_size") is None else kwargs["min_size"]
        high = group.max_size if kwargs.get("max_size") is None else kwargs["max_size"]
        if low > high:
            raise ValidationError(f"Min bound, {low}, must be less than or equal to max bound, {high}")
        want = kwargs.get("desired_capacity")
        if want is None:
            # Outside the new bounds AWS moves the desired capacity to the nearer bound.
            clamped = max(low, min(high, group.desired_capacity))
            kwargs["desired_capacity"] = clamped if clamped != group.desired_capacity else None
        elif not low <= want <= high:
            raise ValidationError(f"Desired capacity:{want} must be between the specified min size:{low} and max size:{high}")
        if not kwargs.get("launch_template") and not kwargs.get("launch_config_name") and group.ec2_launch_template:
            kwargs["launch_template"] = {"LaunchTemplateId": group.ec2_launch_template.id, "Version": group.launch_template_version}
        result = original_update(self, name, **kwargs)
        cloud.touch()
        return result

    def delete_auto_scaling_group(self, group_name):
        group = find_group(self, group_name)
        for state in list(group.instance_states):
            state.instance.terminate()
        self.autoscaling_groups.pop(group_name, None)
        cloud.touch()

    def terminate_instance(self, instance_id, should_decrement):
        state = next((s for s in self.describe_auto_scaling_instances([instance_id]) if s.instance.id == instance_id), None)
        if state is None:
            raise ValidationError(NOT_MANAGED.format(instance_id))
        if state.lifecycle_state == "Terminating":
            raise ScalingActivityInProgress(f"Instance {instance_id} is already being terminated")
        group = state.auto_scaling_group
        counts = state.lifecycle_state in ("InService", "Pending")
        before = group.desired_capacity
        if should_decrement and counts:
            if before <= group.min_size:
                raise ValidationError(BELOW_MIN.format(group.min_size))
            group.desired_capacity -= 1
        activity = asg.TerminateInstanceActivity(state.instance, before)
        begin_termination(cloud, group, state, "in response to a user request")
        return activity

    original_detach = asg.AutoScalingBackend.detach_instances

    def detach_instances(self, group_name, instance_ids, should_decrement):
        group = find_group(self, group_name)
        if should_decrement and group.desired_capacity - len(instance_ids) < group.min_size:
            raise ValidationError(BELOW_MIN.format(group.min_size))
        for instance_id in instance_ids:
            if not any(s.instance.id == instance_id for s in group.instance_states):
                raise ValidationError(f"The instance {instance_id} is not part of Auto Scaling group {group_name}.")
        return original_detach(self, group_name, instance_ids, should_decrement)

    def notify_terminate_instances(self, instance_ids):
        cloud.touch()

    original_terminate = ec2.Instance.terminate

    def terminate(self):
        previous = copy.copy(self._state)
        if self.state in ("shutting-down", "terminated"):
            return previous
        self._state = ec2.InstanceState(*SHUTTING_DOWN)
        address, subnet = self.private_ip, self.subnet_id

        def finish():
            original_terminate(self)
            if cloud.reuse_address and subnet:
                try:
                    self.ec2_backend.get_subnet(subnet).del_subnet_ip(address)
                    self._private_ips.discard(address)
                    cloud.free_addresses.setdefault(subnet, []).append(address)
                except Exception:  # noqa: BLE001 - the subnet may be gone with everything else
                    pass

        cloud.at(cloud.termination_delay, finish)
        cloud.touch()
        return previous

    def suspend_processes(self, group_name, scaling_processes):
        original_suspend(self, find_group(self, group_name).name, scaling_processes)
        cloud.touch()

    def resume_processes(self, group_name, scaling_processes):
        original_resume(self, find_group(self, group_name).name, scaling_processes)
        cloud.touch()

    original_suspend = asg.AutoScalingBackend.suspend_processes
    original_resume = asg.AutoScalingBackend.resume_processes

    private_name, private_address = ec2.Instance.private_dns_name, ec2.Instance.private_ip_address
    # A terminated instance has neither on AWS: what looks one up by name must not find it.
    ec2.Instance.private_dns_name = property(lambda self: "" if self.state == "terminated" else private_name.fget(self))
    ec2.Instance.private_ip_address = property(lambda self: None if self.state == "terminated" else private_address.fget(self))
    LaunchTemplateVersion.user_data = property(template_user_data)
    asg.FakeAutoScalingGroup.set_desired_capacity = set_group_capacity
    asg.AutoScalingBackend.set_desired_capacity = set_desired_capacity
    asg.AutoScalingBackend.update_auto_scaling_group = update_auto_scaling_group
    asg.AutoScalingBackend.delete_auto_scaling_group = delete_auto_scaling_group
    asg.AutoScalingBackend.terminate_instance = terminate_instance
    asg.AutoScalingBackend.detach_instances = detach_instances
    asg.AutoScalingBackend.notify_terminate_instances = notify_terminate_instances
    asg.AutoScalingBackend.suspend_processes = suspend_processes
    asg.AutoScalingBackend.resume_processes = resume_processes
    asg.InstanceState.launch_template = property(instance_template)
    ec2.Instance.terminate = terminate


def template_user_data(self):
    """moto asserts on a type here that its own CreateLaunchTemplateVersion does not always make."""
    data = self.data.get("UserData")
    return data if data is None or isinstance(data, Base64EncodedString) else Base64EncodedString(data)


def instance_template(self):
    """The template version that this instance came from (moto only knows the group's)."""
    group = self.auto_scaling_group
    if group is None or group.ec2_launch_template is None:
        return None
    template = group.ec2_launch_template
    tags = {tag["key"]: tag["value"] for tag in self.instance.get_tags()}
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": tags.get("aws:ec2launchtemplate:version", str(template.default_version_number)),
    }


def find_group(backend, name):
    group = backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
    return group
