"""The changes of permission sets: the set, its policies, who has it in the account, and bringing it there."""

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from raito_pipeline.aws.access.external_ids import PERMISSION_SET, permission_set_name
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.changes import NOTHING, Aws, CenterCalls, Change, Present, Things, out_of_points
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.documents.statements import alike, compact, fingerprint
from raito_pipeline.aws.push.owners.ownership import ChangeRefused
from raito_pipeline.aws.push.types.permission_set_arns import is_of_aws, path_and_name
from raito_pipeline.aws.push.types.policy_changes import (
    ASSIGNMENT,
    IN_ACCOUNT,
    given_by,
    given_by_now,
    losers_of,
    policy,
    what_of,
)
from raito_pipeline.aws.push.types.role_changes import given_by_role, given_by_role_now
from raito_pipeline.aws.push.types.tag_changes import TagObject
from raito_pipeline.model import Tag

OTHERS_KEEP_IT = "OthersKeepIt"
"""member of what an assignment was, where it is not the last one in the account"""
INLINE_OF_ROLE = "AwsSSOInlinePolicy"
"""the inline policy that Identity Center gives its roles"""
_ROLE_IS = "role "
"""how an entry of `beside` begins that names the role of a permission set"""


def permission_set(name: str) -> str:
    """A permission set as changes name it."""
    return f"{PERMISSION_SET}{name}"


def content(name: str) -> str:
    """What provisioning brings into the account, less the policies that come, as changes name it."""
    return f"permission-set-content:{name}"


def in_account(name: str) -> str:
    """What a permission set is in the account, as changes name it."""
    return f"permission-set-in-account:{name}"


def references(name: str) -> str:
    """The managed policies that a permission set gets, as changes name them."""
    return f"permission-set-references:{name}"


def losers_of_set(name: str) -> str:
    """Those who lost a permission set in the account that others keep, as changes name them."""
    return f"those who lost {permission_set(name)}"


def assignments(name: str) -> str:
    """Who has a permission set in the account, as changes name it."""
    return f"permission-set-assignments:{name}"


def _json_object(text: str | None) -> dict[str, Any]:
    """What a row holds as JSON; nothing where that is no object."""
    try:
        members = json.loads(text or "{}")
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


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

    @abstractmethod
    def current(self, aws: Aws) -> Present | None:
        """What AWS has now."""

    def object_is_there(self, aws: Aws) -> bool:
        return self.center(aws).arn(self.name) is not None

    def center(self, aws: Aws) -> CenterCalls:
        """The calls of Identity Center. Raises `ChangeRefused` where there are none."""
        if aws.center is None:
            raise ChangeRefused(self.row, "the account links no organization. Nothing was changed.")
        return aws.center

    def is_there(self, aws: Aws) -> bool:
        """True for a permission set that Raito made, false for one that is gone. Raises `ChangeRefused`, `AwsError`."""
        center = self.center(aws)
        # Raito Cloud naming it is not enough: imported ones are others', whose who alone may be edited.
        made = aws.objects.was_made(permission_set(self.name))
        return made or aws.objects.is_ours(self.row, f"permission set {self.name}", lambda: center.tags(self.name))

    def ours(self, aws: Aws) -> CenterCalls:
        """The calls, for a permission set that Raito made. Raises `ChangeRefused`, `AwsError`."""
        self.is_there(aws)
        return self.center(aws)


class _BringsContent(_OfPermissionSet):
    """A change by which people get what a permission set gives."""

    def beside(self, state: PushState) -> list[str] | None:
        known = state.center.sets.get(self.name)
        if known is None or not known.is_whole:
            return self._of_its_role(state)
        return [f"inline policy {fingerprint(known.inline_policy)}", *known.policy_arns, *known.references]

    def beside_now(self, aws: Aws) -> list[str]:
        center, objects = self.center(aws), aws.objects
        if objects.was_made(permission_set(self.name)):
            return []
        in_role = next((each.removeprefix(_ROLE_IS) for each in self.row.beside or () if each.startswith(_ROLE_IS)), "")
        if in_role:
            return given_by_role_now(aws, in_role)
        inline = [] if objects.was_begun((_PermissionSetPolicy.KIND, self.name)) else [center.policy(self.name)]
        written = objects.begun_of(_Reference.KIND, self.name)
        having = [each for each in center.policies(self.name) if each not in {listed_as(arn) for arn in written}]
        return [*(f"inline policy {fingerprint(each)}" for each in inline), *having]

    def _of_its_role(self, state: PushState) -> list[str] | None:
        """Of a permission set of others is known what its role in the account gives: whoever is assigned gets that."""
        roles = state.reserved_roles(self.name)
        given = given_by_role(state, roles[0].role_name) if len(roles) == 1 else None
        return None if given is None else [f"{_ROLE_IS}{roles[0].role_name}", *given]

    @property
    def beside_of(self) -> tuple[str, ...]:
        return ("content", self.name)


def listed_as(arn: str) -> str:
    """How a permission set lists a managed policy."""
    return arn if is_of_aws(arn) else path_and_name(arn)


class CreatePermissionSet(_OfPermissionSet):
    """A new permission set, which nobody has yet."""

    OPERATION = "create"
    NEW_OBJECT = True
    needs = NOTHING

    @property
    def makes(self) -> Things:
        return frozenset({permission_set(self.name)})

    def current(self, aws: Aws) -> Present:
        center = self.center(aws)
        tags = center.tags(self.name)
        if tags is None:
            return Present(None)
        listed = [{"Key": tag.key, "Value": tag.value} for tag in tags]
        return Present(compact({"Description": center.description(self.name), "Tags": listed}))

    def apply(self, aws: Aws) -> None:
        if self.center(aws).create(self.name, self.request()):
            aws.objects.note_created(permission_set(self.name))
        else:
            self.take_over(aws)

    def take_over(self, aws: Aws) -> None:
        center = self.center(aws)
        aws.objects.take_over(self.row, permission_set(self.name), lambda: center.tags(self.name))
        self.require_made(aws)


class DescribePermissionSet(_OfPermissionSet):
    """A permission set has another description."""

    OPERATION = "update"

    def current(self, aws: Aws) -> Present:
        return Present(self.center(aws).description(self.name))

    @property
    def place(self) -> tuple[str, ...]:
        return (*super().place, self.OPERATION)

    def apply(self, aws: Aws) -> None:
        self.ours(aws).describe(self.name, self.document())


class TagPermissionSet(TagObject, _OfPermissionSet):
    """A permission set has more tags, or others."""

    KIND, OPERATION, EFFECT = "permission-set", "tag", Effect.NEITHER

    def thing(self) -> str:
        return permission_set(self.name)

    def tags_now(self, aws: Aws) -> tuple[Tag, ...] | None:
        return self.center(aws).tags(self.name)

    def is_ours(self, aws: Aws) -> bool:
        return self.is_there(aws)

    def add(self, aws: Aws, tags: Sequence[Mapping[str, str]]) -> None:
        self.center(aws).tag(self.name, tags)


class DeletePermissionSet(_OfPermissionSet):
    """A permission set goes, unless another account has it."""

    OPERATION, EFFECT = "delete", Effect.REMOVES
    needs = NOTHING

    @property
    def removes(self) -> Things:
        return frozenset({permission_set(self.name), assignments(self.name)})

    @property
    def intended(self) -> str | None:
        return None

    def current(self, aws: Aws) -> Present:
        """Its ARN, and who has it in the account: before it goes it was taken from all whom the plan knew of."""
        center = self.center(aws)
        arn, assigned = center.arn(self.name), center.assigned(self.name)
        return Present(compact({"of": arn, "assigned": assigned}) if arn is not None and assigned else arn)

    def apply(self, aws: Aws) -> None:
        if not self.is_there(aws):
            return
        center = self.center(aws)
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

    @property
    def within(self) -> str:
        return permission_set(self.name)

    def current(self, aws: Aws) -> Present:
        return Present(self.center(aws).policy(self.name))

    def apply(self, aws: Aws) -> None:
        self.ours(aws).put_policy(self.name, self.document())


class CreatePermissionSetPolicy(_PermissionSetPolicy):
    """A permission set gives access to something."""

    OPERATION, EFFECT = "create", Effect.GIVES


class UpdatePermissionSetPolicy(_BringsContent, _PermissionSetPolicy):
    """A permission set gives access to something else: to those who have it already, with all that it has."""

    OPERATION, EFFECT = "update", None

    @property
    def needs(self) -> Things:
        # Nobody who loses it gets more by it.
        losers = frozenset({losers_of_set(self.name)}) if Effect.GIVES in self.effect else NOTHING
        return super().needs | losers

    def beside(self, state: PushState) -> list[str] | None:
        known, given = state.center.sets.get(self.name), super().beside(state)
        if Effect.GIVES not in self.effect or known is None or not known.assigned or given is None:
            return None
        return [*given, *(f"assigned to {each.principal_id}" for each in known.assigned)]

    def beside_now(self, aws: Aws) -> list[str]:
        assigned = (f"assigned to {each['PrincipalId']}" for each in self.center(aws).assigned(self.name))
        return [*super().beside_now(aws), *assigned]


class DeletePermissionSetPolicy(_PermissionSetPolicy):
    """A permission set gives access to nothing any more."""

    OPERATION, EFFECT = "delete", Effect.TAKES

    def apply(self, aws: Aws) -> None:
        self.ours(aws).delete_policy(self.name)


class _Assignment(_OfPermissionSet):
    """Somebody and a permission set in the account, named NAME/user:WHO or NAME/group:WHO."""

    KIND = ASSIGNMENT
    OVERWRITES = False

    @property
    def name(self) -> str:
        return self.row.resource.partition("/")[0]

    @property
    def about(self) -> str:
        return self.row.resource.partition("/")[2]

    def principal(self) -> dict[str, str]:
        """Who it is, as AWS names it. Raises `ChangeRefused`."""
        assignment = _json_object(self.row.after or self.row.before)
        try:
            return {key: str(assignment[key]) for key in ("PrincipalType", "PrincipalId")}
        except KeyError:
            raise ChangeRefused(self.row, "the plan does not say to whom it is assigned.") from None

    def editable(self, aws: Aws) -> CenterCalls:
        """The calls, for a permission set of Raito, or one that the access control was imported of."""
        prefix, _, named = aws.objects.external_id(self.row).partition(":")
        imported = f"{prefix}:" == PERMISSION_SET and named != self.name and permission_set_name(named) == self.name
        if imported:
            return self.center(aws)
        return self.ours(aws)

    def current(self, aws: Aws) -> Present:
        has_it = self.principal() in self.center(aws).assigned(self.name)
        return Present((self.row.after or self.row.before) if has_it else None)


class Assign(_BringsContent, _Assignment):
    """Somebody gets a permission set in the account."""

    OPERATION, EFFECT = "create", Effect.GIVES

    @property
    def needs(self) -> Things:
        # Nobody new gets what the permission set gave before.
        return frozenset({permission_set(self.name), content(self.name), in_account(self.name)})

    @property
    def awaits(self) -> Things:
        # The first one brings the policies along. A policy that does not come is no reason to keep somebody out.
        return frozenset({references(self.name)})

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
    def others_keep_it(self) -> bool:
        """True where `before` says that somebody keeps the permission set: then it is taken away first."""
        return bool(_json_object(self.row.before).get(OTHERS_KEEP_IT))

    @property
    def makes(self) -> Things:
        return frozenset({losers_of_set(self.name)}) if self.others_keep_it else NOTHING

    @property
    def awaits(self) -> Things:
        # AWS deletes the role with the last assignment, and would make another one with the next.
        if self.others_keep_it:
            return NOTHING
        return frozenset({assignments(self.name), out_of_points(permission_set(self.name))})

    def apply(self, aws: Aws) -> None:
        warning = self.editable(aws).unassign(self.name, self.principal())
        if warning:
            aws.notes.add(self.row, warning)


class _Reference(_OfPermissionSet):
    """A managed policy and a permission set that has it."""

    KIND = "permission-set-reference"
    OVERWRITES = False

    @property
    def place(self) -> tuple[str, ...]:
        return (*super().place, self.arn)

    def current(self, aws: Aws) -> Present:
        return Present(self.arn if self.center(aws).has(self.name, self.arn) else None)

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
        return frozenset({references(self.name)})

    @property
    def needs(self) -> Things:
        # Nobody new gets what the policy gave before.
        return super().needs | {what_of(self.arn)}

    def beside(self, state: PushState) -> list[str] | None:
        return given_by(state, self.arn)

    def beside_now(self, aws: Aws) -> list[str]:
        return given_by_now(aws, self.arn)

    @property
    def beside_of(self) -> tuple[str, ...]:
        return ("given by", self.arn)


class DetachReference(_Reference):
    """A permission set loses a managed policy: at once, or for what `after` names."""

    OPERATION, EFFECT = "detach", Effect.TAKES

    @cached_property
    def effect(self) -> Effect:
        return Effect.NEITHER if self.gives_way else Effect.TAKES

    @property
    def gives_way(self) -> bool:
        return self.row.after is not None

    @property
    def arn(self) -> str:
        return self.row.before or ""

    @property
    def frees(self) -> tuple[str, str]:
        return self.arn, f"{PERMISSION_SET}{self.name}"

    @property
    def intended(self) -> str | None:
        return None

    @property
    def makes(self) -> Things:
        return super().makes | {losers_of(self.arn)}

    @property
    def awaits(self) -> Things:
        # What takes the place of a policy is there before that goes.
        return frozenset({references(self.name)})

    def apply(self, aws: Aws) -> None:
        self.ours(aws).detach(self.name, self.arn)


class ProvisionPermissionSet(_BringsContent):
    """A permission set is brought into the account as it is now: once, however many access controls ask for it.

    `before` holds a policy that nobody is to have any more afterwards, where it is asked for because of that.
    """

    KIND, OPERATION = IN_ACCOUNT, "provision"
    OVERWRITES = False
    about = ""

    def current(self, aws: Aws) -> None:
        """Nothing tells a permission set that was brought into the account once more from one that was not."""
        del aws

    @cached_property
    def effect(self) -> Effect:
        return Effect.GIVES if self.row.before is None else Effect.TAKES

    @property
    def makes(self) -> Things:
        if self.row.before:
            return frozenset({in_account(self.name), losers_of(self.row.before)})
        return NOTHING if self.brings_policy else frozenset({in_account(self.name)})

    @property
    def brings_policy(self) -> bool:
        """True where it is asked for because of a policy that comes, and takes nothing from anybody."""
        return self.row.before is None and ":policy/" in (self.row.after or "")

    def only_takes(self, aws: Aws) -> bool:
        """Also where this push took access in the permission set, and was refused what it would have given."""
        return super().only_takes(aws) or aws.objects.was_only_taken((_PermissionSetPolicy.KIND, self.name))

    @property
    def awaits(self) -> Things:
        return frozenset({content(self.name), references(self.name)})

    def is_made(self, aws: Aws) -> bool:
        """True where the role in the account is as the permission set: a first assignment brings it there, too."""
        arn = aws.points.reserved_role(self.name)
        if arn is None:
            return False
        role, center, account = arn.rpartition("/")[2], self.center(aws), f"{arn.partition(':role/')[0]}:policy"
        wanted = {each if is_of_aws(each) else f"{account}{each}" for each in center.policies(self.name)}
        inline = aws.iam.inline_document(role, INLINE_OF_ROLE)
        return alike(inline, center.policy(self.name)) and wanted == set(aws.iam.attached_to_role(role))

    def apply(self, aws: Aws) -> None:
        self.ours(aws).provision(self.name)
