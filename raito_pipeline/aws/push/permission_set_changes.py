"""The changes of permission sets: the set, its policies, who has it in the account, and bringing it there."""

import json
from abc import abstractmethod
from functools import cached_property
from typing import ClassVar

from raito_pipeline.aws.access.external_ids import PERMISSION_SET, permission_set_name
from raito_pipeline.aws.push.changes import NOTHING, Aws, CenterCalls, Change, Present, Things
from raito_pipeline.aws.push.effects import Effect
from raito_pipeline.aws.push.ownership import ChangeRefused
from raito_pipeline.aws.push.policy_changes import policy


def permission_set(name: str) -> str:
    """A permission set as changes name it."""
    return f"{PERMISSION_SET}{name}"


def content(name: str) -> str:
    """What provisioning brings into the account, as changes name it."""
    return f"permission-set-content:{name}"


def in_account(name: str) -> str:
    """What a permission set is in the account, as changes name it."""
    return f"permission-set-in-account:{name}"


def references(name: str) -> str:
    """The managed policies that a permission set gets, as changes name them."""
    return f"permission-set-references:{name}"


def assignments(name: str) -> str:
    """Who has a permission set in the account, as changes name it."""
    return f"permission-set-assignments:{name}"


class _OfPermissionSet(Change):
    """A change of a permission set that is there, named by the resource."""

    KIND, OPERATION = "permission-set", ""
    EFFECT: ClassVar[Effect | None] = Effect.NEITHER

    @property
    def name(self) -> str:
        """The permission set."""
        return self.row.resource

    @property
    def needs(self) -> Things:
        return frozenset({permission_set(self.name)})

    @property
    def makes(self) -> Things:
        return NOTHING

    @property
    def removes(self) -> Things:
        return NOTHING

    @abstractmethod
    def apply(self, aws: Aws) -> None:
        """Make it."""

    def center(self, aws: Aws) -> CenterCalls:
        """The calls of Identity Center. Raises `ChangeRefused` where there are none."""
        if aws.center is None:
            raise ChangeRefused(self.row, "the account links no organization. Nothing was changed.")
        return aws.center

    def ours(self, aws: Aws) -> CenterCalls:
        """The calls, for a permission set that Raito made. Raises `ChangeRefused`, `AwsError`."""
        center = self.center(aws)
        # Raito Cloud naming it is not enough: imported ones are others', whose who alone may be edited.
        aws.objects.is_ours(self.row, f"{self.KIND} {self.name}", lambda: center.tags(self.name))
        return center


class CreatePermissionSet(_OfPermissionSet):
    """A new permission set, which nobody has yet."""

    OPERATION = "create"
    needs = NOTHING

    @property
    def makes(self) -> Things:
        return frozenset({permission_set(self.name)})

    def apply(self, aws: Aws) -> None:
        center, request = self.center(aws), self.request()
        if not center.create(self.name, request):
            # An earlier push was broken off after this change, or another one was faster.
            aws.objects.take_over(self.row, f"{self.KIND} {self.name}", lambda: center.tags(self.name))
            center.describe(self.name, request["Description"])
            center.tag(self.name, request["Tags"])
        aws.objects.note_made(f"{self.KIND} {self.name}")


class DescribePermissionSet(_OfPermissionSet):
    """A permission set has another description."""

    OPERATION = "update"

    def apply(self, aws: Aws) -> None:
        self.ours(aws).describe(self.name, self.document())


class TagPermissionSet(_OfPermissionSet):
    """A permission set has more tags, or others."""

    OPERATION = "tag"

    def apply(self, aws: Aws) -> None:
        tags = [{"Key": key, "Value": value} for key, value in self.request().items()]
        self.ours(aws).tag(self.name, tags)


class DeletePermissionSet(_OfPermissionSet):
    """A permission set goes, unless another account has it."""

    OPERATION, EFFECT = "delete", Effect.REMOVES
    needs = NOTHING

    @property
    def removes(self) -> Things:
        return frozenset({permission_set(self.name), assignments(self.name)})

    def apply(self, aws: Aws) -> None:
        center = self.center(aws)
        if not aws.objects.is_ours(self.row, f"{self.KIND} {self.name}", lambda: center.tags(self.name)):
            return
        others = center.other_accounts(self.name)
        if others:
            raise ChangeRefused(
                self.row, f"it is in use in {', '.join(others)}, so it was only taken from everybody here."
            )
        center.delete(self.name)


class _PermissionSetPolicy(_OfPermissionSet):
    """The inline policy of a permission set."""

    KIND = "permission-set-policy"

    @property
    def makes(self) -> Things:
        return frozenset({content(self.name)})

    def current(self, aws: Aws) -> Present:
        return Present(self.center(aws).policy(self.name))

    def apply(self, aws: Aws) -> None:
        self.ours(aws).put_policy(self.name, self.document())


class CreatePermissionSetPolicy(_PermissionSetPolicy):
    """A permission set gives access to something."""

    OPERATION, EFFECT = "create", Effect.GIVES


class UpdatePermissionSetPolicy(_PermissionSetPolicy):
    """A permission set gives access to something else."""

    OPERATION, EFFECT = "update", None


class DeletePermissionSetPolicy(_PermissionSetPolicy):
    """A permission set gives access to nothing any more."""

    OPERATION, EFFECT = "delete", Effect.TAKES

    def apply(self, aws: Aws) -> None:
        self.ours(aws).delete_policy(self.name)


class _Assignment(_OfPermissionSet):
    """Somebody and a permission set in the account, named NAME/user:WHO or NAME/group:WHO."""

    KIND = "assignment"

    @property
    def name(self) -> str:
        return self.row.resource.partition("/")[0]

    @property
    def about(self) -> str:
        return self.row.resource.partition("/")[2]

    def principal(self) -> dict[str, str]:
        """Who it is, as AWS names it. Raises `ChangeRefused`."""
        try:
            found = json.loads(self.row.after or self.row.before or "")
            return {key: str(found[key]) for key in ("PrincipalType", "PrincipalId")}
        except (ValueError, KeyError, TypeError):
            raise ChangeRefused(self.row, "the plan does not say to whom it is assigned.") from None

    def editable(self, aws: Aws) -> CenterCalls:
        """The calls, for a permission set of Raito, or one that the access control was imported of."""
        prefix, _, named = aws.objects.external_id(self.row).partition(":")
        imported = f"{prefix}:" == PERMISSION_SET and named != self.name and permission_set_name(named) == self.name
        if imported:
            return self.center(aws)
        center = self.center(aws)
        aws.objects.is_ours(self.row, f"permission-set {self.name}", lambda: center.tags(self.name))
        return center


class Assign(_Assignment):
    """Somebody gets a permission set in the account."""

    OPERATION, EFFECT = "create", Effect.GIVES

    @property
    def needs(self) -> Things:
        # Nobody new gets what the permission set gave before.
        return frozenset({permission_set(self.name), content(self.name), in_account(self.name)})

    @property
    def makes(self) -> Things:
        return frozenset({assignments(self.name)})

    def apply(self, aws: Aws) -> None:
        warning = self.editable(aws).assign(self.name, self.principal())
        if warning:
            aws.notes.add(self.row, warning)


class Unassign(_Assignment):
    """Somebody loses a permission set in the account."""

    OPERATION, EFFECT = "delete", Effect.TAKES

    @property
    def awaits(self) -> Things:
        # AWS deletes the role with the last assignment, and would make another one with the next.
        return frozenset({assignments(self.name)})

    def apply(self, aws: Aws) -> None:
        warning = self.editable(aws).unassign(self.name, self.principal())
        if warning:
            aws.notes.add(self.row, warning)


class _Reference(_OfPermissionSet):
    """A managed policy and a permission set that has it."""

    KIND = "permission-set-reference"

    @property
    def arn(self) -> str:
        """The policy."""
        return self.row.after or self.row.before or ""

    @property
    def needs(self) -> Things:
        return frozenset({permission_set(self.name), policy(self.arn)})

    @property
    def about(self) -> str:
        return f"permission set:{self.name}"

    @property
    def makes(self) -> Things:
        return frozenset({content(self.name)})

    def apply(self, aws: Aws) -> None:
        self.ours(aws).attach(self.name, self.arn)


class AttachReference(_Reference):
    """A permission set gets a managed policy."""

    OPERATION, EFFECT = "attach", Effect.GIVES

    @property
    def makes(self) -> Things:
        return frozenset({content(self.name), references(self.name)})


class DetachReference(_Reference):
    """A permission set loses a managed policy."""

    OPERATION, EFFECT = "detach", Effect.TAKES

    @property
    def awaits(self) -> Things:
        # What takes the place of a policy is there before that goes.
        return frozenset({references(self.name)})

    def apply(self, aws: Aws) -> None:
        self.ours(aws).detach(self.name, self.arn)


class ProvisionPermissionSet(_OfPermissionSet):
    """A permission set is brought into the account as it is now: once, however many access controls ask for it.

    `before` holds a policy that nobody is to have any more afterwards, where it is asked for because of that.
    """

    KIND, OPERATION = "permission-set-in-account", "provision"
    about = ""

    @cached_property
    def effect(self) -> Effect:
        return Effect.GIVES if self.row.before is None else Effect.TAKES

    @property
    def makes(self) -> Things:
        return frozenset({in_account(self.name)})

    @property
    def awaits(self) -> Things:
        return frozenset({content(self.name)})

    def apply(self, aws: Aws) -> None:
        self.ours(aws).provision(self.name)
