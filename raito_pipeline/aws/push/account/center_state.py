"""What a plan knows of Identity Center, and whether it has to know anything. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from raito_pipeline.aws.access.external_ids import PERMISSION_SET, POLICY, permission_set_name
from raito_pipeline.aws.access.permission_sets import TYPE as SET_TYPE
from raito_pipeline.model import RAITO_ACCOUNT, AccessControl, Assignee, PushPermissionSet, PushPrincipal, made_by_raito


@dataclass(frozen=True, slots=True)
class CenterQuestions:
    """What a push asks of Identity Center: who has permission sets of others, and who has a name."""

    permission_sets: frozenset[str]
    names: frozenset[str]


def center_questions(
    controls: Iterable[AccessControl], dummy_user: str | None, in_reserved_roles: Iterable[str] = ()
) -> CenterQuestions | None:
    """What the access controls of an account with an organization need to be known; None where they need nothing.

    `in_reserved_roles` are the names of managed policies that roles of permission sets have.
    """
    listed = tuple(controls)
    kept = frozenset(in_reserved_roles)
    if not any(_has_to_do_with_permission_sets(control, kept) for control in listed):
        return None
    sets = [control for control in listed if is_permission_set(control)]
    names = {name for control in sets for name in (*control.who.users, *control.who.groups)}
    external = (control.external_id or "" for control in sets)
    return CenterQuestions(
        frozenset(permission_set_name(each.removeprefix(PERMISSION_SET)) for each in external if each),
        frozenset(names | ({dummy_user} if dummy_user else set())),
    )


def is_permission_set(control: AccessControl) -> bool:
    """True for an access control that is a permission set where the account links an organization.

    One of no type is what it owns, and a permission set where it owns nothing.
    """
    owns = control.external_id or PERMISSION_SET
    return control.type == SET_TYPE or (control.type is None and owns.startswith(PERMISSION_SET))


def _has_to_do_with_permission_sets(control: AccessControl, in_reserved_roles: frozenset[str]) -> bool:
    entries = (*control.who.inherit_from, *(control.deleted_who.inherit_from if control.deleted_who else ()))
    external_id = control.external_id or ""
    return (
        is_permission_set(control)
        or external_id.startswith(PERMISSION_SET)
        or any(entry.startswith(PERMISSION_SET) for entry in entries)
        or (external_id.startswith(POLICY) and external_id.rpartition(":")[2].rpartition("/")[2] in in_reserved_roles)
    )


def serves(permission_set: PushPermissionSet) -> str | None:
    """The account that a permission set of Raito serves; None where its tags do not say it."""
    return next((tag.value for tag in permission_set.tags if tag.key == RAITO_ACCOUNT), None)


@dataclass(frozen=True)
class CenterState:
    """Identity Center of the organization of an account, by name.

    Where it is not known whole, `problems` say why, and nothing that has to do with permission sets is planned.
    """

    problems: tuple[str, ...] = ()
    account_id: str = ""
    sets: Mapping[str, PushPermissionSet] = field(default_factory=dict)
    principals: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """ids by `USER` or `GROUP` and name: several ids where several have one name"""
    names: Mapping[Assignee, str] = field(default_factory=dict)
    is_shared: bool = False
    """several accounts of `raito.yml` have this organization"""
    documents: Mapping[str, str] = field(default_factory=dict)
    """documents of policies of AWS that permission sets have, by ARN, where the account does not say what they give"""
    knows_own_policies: bool = True
    """IAM was read with the managed policies of the account that roles have"""
    knows_aws_policies: bool = True
    """and with those of AWS"""

    @classmethod
    def of(
        cls,
        permission_sets: Iterable[PushPermissionSet],
        principals: Iterable[PushPrincipal],
        *,
        account_id: str = "",
        is_shared: bool = False,
        documents: Mapping[str, str] | None = None,
        knows_own_policies: bool = True,
        knows_aws_policies: bool = True,
    ) -> "CenterState":
        """Index the stored tables."""
        ids: dict[tuple[str, str], list[str]] = defaultdict(list)
        listed = tuple(principals)
        for one in listed:
            ids[one.principal_type, one.name].append(one.principal_id)
        return cls(
            account_id=account_id,
            sets={one.name: one for one in permission_sets},
            principals={key: tuple(sorted(some)) for key, some in ids.items()},
            names={Assignee(one.principal_type, one.principal_id): one.name for one in listed},
            is_shared=is_shared,
            documents=documents or {},
            knows_own_policies=knows_own_policies,
            knows_aws_policies=knows_aws_policies,
        )

    @property
    def problem(self) -> str:
        """Why permission sets cannot be pushed, empty where they can."""
        return f"permission sets cannot be pushed: {'; '.join(self.problems)}" if self.problems else ""

    @property
    def by_raito(self) -> list[PushPermissionSet]:
        """The permission sets that Raito made, by name; not those that serve another account."""
        return [
            one
            for _, one in sorted(self.sets.items())
            if made_by_raito(one.tags) and serves(one) in (None, self.account_id)
        ]

    def label(self, assignee: Assignee) -> str:
        """An assigned user or group as people know it; its id where it is gone from the identity store."""
        return f"{assignee.principal_type.lower()}:{self.names.get(assignee, assignee.principal_id)}"


NO_CENTER = CenterState(("the account links no organization (aws-organization-profile)",))
