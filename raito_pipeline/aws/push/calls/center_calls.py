"""The changes of Identity Center that a push makes, each as one function that ends when AWS has done it.

Assignments and provisionings are answered with IN_PROGRESS and go on; their status is asked until they end. Meanwhile
AWS refuses other changes of the same permission set with ConflictException, and asks to try again.
https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_Operations.html
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied, AwsError, AwsGone, AwsUnreachable
from raito_pipeline.aws.connection.limits import ServiceLimits, shared_limits
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Answer, Service
from raito_pipeline.aws.push.types.permission_set_arns import is_of_aws, kind_of, member_of, path_and_name
from raito_pipeline.aws.readers.push_center import CenterPlace
from raito_pipeline.aws.readers.reading import tags_of
from raito_pipeline.model import Tag

T = TypeVar("T")
_CONFLICT = "ConflictException"
_PROVISIONINGS = 3
"""as many as the Raito CLI has under way at a time"""
_WITHOUT_STATUS = (
    "{action} is not granted, so the assignments were listed until they were as wanted: why AWS fails is not seen so. "
    "Grant {action} on the instance."
)
_MANAGEMENT_ACCOUNT = (
    " A delegated administrator cannot change assignments in the management account, nor a permission set that is "
    "assigned there: use the management account's own credentials."
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: from the first look at something under way to the next one, at most between two, and in all."""

    first: float = 0.5
    longest: float = 5.0
    conflict: float = 60.0
    """how long what AWS refuses with ConflictException is tried again"""
    in_all: float = 600.0
    """how long an assignment or a provisioning is waited for"""

    def pauses(self, seconds: float) -> Iterator[float]:
        """Growing pauses, together about as many seconds."""
        pause, spent = self.first, 0.0
        while spent < seconds:
            yield pause
            spent += pause
            pause = min(pause * 1.6, self.longest)


@dataclass
class _KnownSet:
    """What this push knows of one permission set. `lock`: AWS takes one change of a permission set at a time."""

    arn: str | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    changed: bool = True
    """something that provisioning brings into the account was changed since the last one, as far as is known"""
    failure: AwsError | None = None
    """what the last provisioning failed with"""


class Center:
    """The calls of Identity Center of a push for one account, thread-safe. Every method raises `AwsError`.

    Nothing is asked of AWS, nor are credentials looked at, before the first of them: `connect` gives the clients then.
    `known` are the ARNs of permission sets by name, as the plan found them.
    """

    def __init__(
        self,
        connect: Callable[[], AwsClients],
        place: CenterPlace,
        known: Mapping[str, str],
        limiter: ServiceLimits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._connect, self._place = connect, place
        self._limiter = limiter or shared_limits()
        self._patience = patience or Patience()
        self._sets: dict[str, _KnownSet] = defaultdict(_KnownSet)
        self._sets.update({name: _KnownSet(arn) for name, arn in known.items()})
        self._lock = threading.RLock()
        self._provisionings = threading.BoundedSemaphore(_PROVISIONINGS)

    # -- permission sets -------------------------------------------------------------------------------------------

    def tags(self, name: str) -> tuple[Tag, ...] | None:
        """The tags that a permission set carries now, or None where there is none of this name."""
        known = self._of(name)
        if known.arn is None:
            known.arn = self._find(name)
        if known.arn is None:
            return None
        try:
            return tags_of(self._items("ListTagsForResource", "Tags", known.arn, ResourceArn=known.arn))
        except AwsGone:
            return None

    def create(self, name: str, request: Mapping[str, Any]) -> bool:
        """Create a permission set; `request` holds the other members. False where there is one of this name."""
        known = self._of(name)
        with known.lock:
            try:
                answer = self._get("CreatePermissionSet", name, Name=name, **request)
            except AwsError as error:
                if error.code != _CONFLICT:
                    raise
                known.arn = self._find(name)
                if known.arn is None:
                    raise
                return False
            known.arn = answer["PermissionSet"]["PermissionSetArn"]
            return True

    def arn(self, name: str) -> str | None:
        """The ARN of a permission set, or None where there is none of this name."""
        return self._described("PermissionSetArn", name)

    def description(self, name: str) -> str | None:
        """The description of a permission set, or None where it has none or is not there."""
        return self._described("Description", name)

    def _described(self, member: str, name: str) -> str | None:
        try:
            arn = self._arn(name)
            text: str | None = self._get("DescribePermissionSet", arn, PermissionSetArn=arn)["PermissionSet"].get(
                member
            )
        except AwsGone:
            return None
        return text

    def policy(self, name: str) -> str | None:
        """The inline policy of a permission set, or None where it has none or is not there."""
        try:
            arn = self._arn(name)
            return self._get("GetInlinePolicyForPermissionSet", arn, PermissionSetArn=arn).get("InlinePolicy") or None
        except AwsGone:
            return None

    def describe(self, name: str, description: str) -> None:
        """Set the description of a permission set, and nothing else: AWS clears what an update leaves out.

        https://github.com/hashicorp/terraform-provider-aws/issues/17411
        """
        arn = self._arn(name)
        with self._of(name).lock:
            there = self._get("DescribePermissionSet", arn, PermissionSetArn=arn)["PermissionSet"]
            kept = {member: there[member] for member in ("SessionDuration", "RelayState") if there.get(member)}
            self._change(name, "UpdatePermissionSet", Description=description, **kept)

    def tag(self, name: str, tags: Sequence[Mapping[str, str]]) -> None:
        """Add tags, or change their values."""
        known, arn = self._of(name), self._arn(name)
        with known.lock:
            self._patiently(lambda: self._get("TagResource", arn, ResourceArn=arn, Tags=list(tags)))

    def put_policy(self, name: str, document: str) -> None:
        """Write the inline policy of a permission set, whether there was one or not."""
        self._change(name, "PutInlinePolicyToPermissionSet", InlinePolicy=document)

    def delete_policy(self, name: str) -> None:
        """Remove the inline policy of a permission set."""
        try:
            self._change(name, "DeleteInlinePolicyFromPermissionSet")
        except AwsGone:
            return

    def other_accounts(self, name: str) -> tuple[str, ...]:
        """The other accounts where a permission set is provisioned."""
        arn = self._arn(name)
        operation = "ListAccountsForProvisionedPermissionSet"
        accounts = self._items(operation, "AccountIds", arn, PermissionSetArn=arn)
        return tuple(sorted(set(accounts) - {self._place.account_id}))

    def delete(self, name: str) -> None:
        """Delete a permission set that nobody has any more; one that is gone is deleted."""
        try:
            self._change(name, "DeletePermissionSet")
        except AwsGone:
            return

    # -- policies that a permission set has ------------------------------------------------------------------------

    def attach(self, name: str, policy_arn: str) -> None:
        """Give a managed policy, of AWS or (by its name and path) of the account, to a permission set."""
        if not self.has(name, policy_arn):
            operation = f"Attach{kind_of(policy_arn)}ToPermissionSet"
            self._change(name, operation, lambda: self.has(name, policy_arn), **member_of(policy_arn))

    def has(self, name: str, policy_arn: str) -> bool:
        """Whether a permission set has a managed policy; false where it is not there."""
        try:
            arn = self._arn(name)
            if is_of_aws(policy_arn):
                operation, key = "ListManagedPoliciesInPermissionSet", "AttachedManagedPolicies"
                return any(one["Arn"] == policy_arn for one in self._items(operation, key, arn, PermissionSetArn=arn))
            operation, key = "ListCustomerManagedPolicyReferencesInPermissionSet", "CustomerManagedPolicyReferences"
            listed = self._items(operation, key, arn, PermissionSetArn=arn)
        except AwsGone:
            return False
        return any(f"{one.get('Path') or '/'}{one['Name']}" == path_and_name(policy_arn) for one in listed)

    def policies(self, name: str) -> tuple[str, ...]:
        """The managed policies that a permission set has: of AWS by ARN, of the account by path and name."""
        try:
            arn = self._arn(name)
            operation, key = "ListManagedPoliciesInPermissionSet", "AttachedManagedPolicies"
            of_aws = [str(one["Arn"]) for one in self._items(operation, key, arn, PermissionSetArn=arn)]
            operation, key = "ListCustomerManagedPolicyReferencesInPermissionSet", "CustomerManagedPolicyReferences"
            own = self._items(operation, key, arn, PermissionSetArn=arn)
        except AwsGone:
            return ()
        return (*of_aws, *(f"{one.get('Path') or '/'}{one['Name']}" for one in own))

    def detach(self, name: str, policy_arn: str) -> None:
        """Take a managed policy from a permission set."""
        try:
            self._change(name, f"Detach{kind_of(policy_arn)}FromPermissionSet", **member_of(policy_arn))
        except AwsGone:
            return

    # -- who has it in the account ---------------------------------------------------------------------------------

    def assign(self, name: str, principal: Mapping[str, str]) -> str | None:
        """Assign a permission set to `{"PrincipalType": ..., "PrincipalId": ...}`; a warning where there is one."""
        return self._assignment(name, "Creation", principal)

    def unassign(self, name: str, principal: Mapping[str, str]) -> str | None:
        """Take a permission set from somebody; a warning where there is one."""
        try:
            return self._assignment(name, "Deletion", principal)
        except AwsError as error:
            if isinstance(error, AwsDenied) or self._is_assigned(name, principal):
                raise
            return None

    def assigned(self, name: str) -> tuple[Mapping[str, str], ...]:
        """Who has a permission set in the account, as `assign` takes them; nobody where it is not there."""
        return tuple(
            {key: str(one[key]) for key in ("PrincipalType", "PrincipalId") if key in one}
            for one in self._assigned(name)
        )

    def provision(self, name: str) -> None:
        """Bring a permission set as it is now into the account. Asked for again, it only says what came of it.

        Where nobody has it in the account there is nothing to do.
        """
        known = self._of(name)
        with known.lock:
            if known.changed:
                known.failure = None
                with self._provisionings:
                    try:
                        self._provision(name)
                    except AwsError as error:
                        known.failure = error if self._assigned(name) else None
                known.changed = False
            if known.failure is not None:
                raise known.failure

    # -- how calls are made ----------------------------------------------------------------------------------------

    @cached_property
    def _service(self) -> Service:
        service = Service(self._connect(), "sso-admin", NEXT_TOKEN, self._place.region)
        self._limiter.attach(service.client)
        return service

    def _sso(self) -> Service:
        with self._lock:
            return self._service

    def _get(self, operation: str, resource: str, **request: Any) -> Answer:
        try:
            return self._sso().get(operation, resource, InstanceArn=self._place.instance_arn, **request)
        except AwsDenied as error:
            if operation in ("CreateAccountAssignment", "DeleteAccountAssignment", "ProvisionPermissionSet"):
                text = f"{error}{_MANAGEMENT_ACCOUNT}"
                raise AwsDenied(text, action=error.action, resource=error.resource, code=error.code) from error
            raise

    def _items(self, operation: str, key: str, resource: str, **request: Any) -> list[Any]:
        return self._sso().items(operation, key, resource, InstanceArn=self._place.instance_arn, **request)

    def _of(self, name: str) -> _KnownSet:
        with self._lock:
            return self._sets[name]

    def _arn(self, name: str) -> str:
        known = self._of(name)
        if known.arn is None:
            known.arn = self._find(name)
        if known.arn is None:
            action = "sso:DescribePermissionSet"
            text = f"{action} on {name}: there is no permission set of this name."
            raise AwsGone(text, action=action, resource=name)
        return known.arn

    def _find(self, name: str) -> str | None:
        """The ARN of a permission set: AWS lists them without their names."""
        for arn in self._items("ListPermissionSets", "PermissionSets", self._place.instance_arn):
            try:
                permission_set = self._get("DescribePermissionSet", arn, PermissionSetArn=arn)["PermissionSet"]
            except AwsGone:
                continue
            if permission_set.get("Name") == name:
                return str(arn)
        return None

    def _change(self, name: str, operation: str, is_made: Callable[[], bool] | None = None, /, **request: Any) -> None:
        """One change of a permission set that AWS makes at once.

        `is_made` tells the ConflictException of what is there already, as an answer was lost, from that of another
        change under way.
        """
        known, arn = self._of(name), self._arn(name)

        def change() -> None:
            try:
                self._get(operation, arn, PermissionSetArn=arn, **request)
            except AwsError as error:
                if error.code != _CONFLICT or is_made is None or not is_made():
                    raise

        with known.lock:
            self._patiently(change)
            known.changed = True

    def _patiently(self, call: Callable[[], T]) -> T:
        for pause in self._patience.pauses(self._patience.conflict):
            try:
                return call()
            except AwsError as error:
                if error.code != _CONFLICT:
                    raise
            time.sleep(pause)
        return call()

    # -- what AWS goes on with after its answer --------------------------------------------------------------------

    def _assignment(self, name: str, kind: str, principal: Mapping[str, str]) -> str | None:
        known, arn = self._of(name), self._arn(name)
        verb = {"Creation": "Create", "Deletion": "Delete"}[kind]
        request = {"PermissionSetArn": arn, "TargetId": self._place.account_id, "TargetType": "AWS_ACCOUNT"}
        with known.lock:
            operation = f"{verb}AccountAssignment"
            begun = self._patiently(lambda: self._get(operation, arn, **request, **principal))
            member, asked = f"AccountAssignment{kind}Status", f"DescribeAccountAssignment{kind}Status"
            try:
                self._wait(begun[member], asked, member, f"AccountAssignment{kind}RequestId", f"sso:{operation}", arn)
            except AwsDenied as denied:
                if not denied.action.endswith(f":{asked}"):
                    raise
                self._wait_for_list(name, principal, kind == "Creation", f"sso:{operation}")
                return _WITHOUT_STATUS.format(action=denied.action)
        return None

    def _provision(self, name: str) -> None:
        arn = self._arn(name)
        request = {"PermissionSetArn": arn, "TargetType": "AWS_ACCOUNT", "TargetId": self._place.account_id}
        begun = self._patiently(lambda: self._get("ProvisionPermissionSet", arn, **request))
        member, asked = "PermissionSetProvisioningStatus", "DescribePermissionSetProvisioningStatus"
        key, action = "ProvisionPermissionSetRequestId", "sso:ProvisionPermissionSet"
        self._wait(begun[member], asked, member, key, action, arn)

    def _wait(self, status: Answer, operation: str, member: str, key: str, action: str, arn: str) -> None:
        """Ask for the status until it ends. Raises `AwsError` where AWS could not do it, or takes too long."""
        request = {key: status["RequestId"]}
        for pause in self._patience.pauses(self._patience.in_all):
            if status["Status"] == "FAILED":
                reason = status.get("FailureReason") or "AWS gave no reason"
                text = f"{action} on {arn} for account {self._place.account_id} failed: {reason}"
                raise AwsError(text, action=action, resource=arn, code="FAILED")
            if status["Status"] != "IN_PROGRESS":
                return
            time.sleep(pause)
            status = self._get(operation, arn, **request)[member]
        raise self._too_long(action, arn)

    def _wait_for_list(self, name: str, principal: Mapping[str, str], there: bool, action: str) -> None:
        for pause in self._patience.pauses(self._patience.conflict):
            if self._is_assigned(name, principal) is there:
                return
            time.sleep(pause)
        raise self._too_long(action, self._arn(name))

    def _too_long(self, action: str, arn: str) -> AwsError:
        text = f"{action} on {arn}: AWS has not done it yet. The next push looks again."
        return AwsUnreachable(text, action=action, resource=arn)

    def _is_assigned(self, name: str, principal: Mapping[str, str]) -> bool:
        return dict(principal) in self.assigned(name)

    def _assigned(self, name: str) -> list[Answer]:
        try:
            arn = self._arn(name)
            request = {"PermissionSetArn": arn, "AccountId": self._place.account_id}
            return self._items("ListAccountAssignments", "AccountAssignments", arn, **request)
        except AwsGone:
            return []
