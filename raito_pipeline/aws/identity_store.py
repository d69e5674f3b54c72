"""Reading the people of one identity store: users, groups, and who is in which group.

https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/welcome.html
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from raito_pipeline.aws.errors import AwsGone
from raito_pipeline.aws.paging import Service
from raito_pipeline.aws.reading import Progress, Workers
from raito_pipeline.model import OrgGroup, OrgUser

PAGE = 100
"""Items a page: the most that Identity Center gives."""


@dataclass(frozen=True, slots=True)
class People:
    """The users and groups of one identity store."""

    users: tuple[OrgUser, ...]
    groups: tuple[OrgGroup, ...]

    def names(self) -> dict[tuple[str, str], str]:
        """The names of users and groups by (`USER` or `GROUP`, id)."""
        found = {("USER", user.user_id): user.user_name for user in self.users}
        return found | {("GROUP", group.group_id): group.display_name for group in self.groups}


def read_people(store: Service, store_id: str, pool: Workers, progress: Progress) -> People:
    """Read the identity store `store_id` (`d-...`). Raises `AwsError`."""

    def listed(wanted: str) -> list[Any]:
        return store.items(f"List{wanted}", wanted, store_id, IdentityStoreId=store_id, MaxResults=PAGE)

    users, groups = pool.each(listed, ("Users", "Groups"), "people", progress)
    group_ids = _group_ids(store, store_id, users, groups, pool, progress)
    return People(
        tuple(_user(store_id, one, group_ids.get(one["UserId"], ())) for one in users),
        tuple(_group(store_id, one) for one in groups),
    )


def unless_gone(read: Callable[[], list[Any]]) -> list[Any]:
    """What a read gives; nothing where its subject was deleted since it was listed."""
    try:
        return read()
    except AwsGone:
        return []


def _group_ids(
    store: Service, store_id: str, users: Sequence[Any], groups: Sequence[Any], pool: Workers, progress: Progress
) -> Mapping[str, list[str]]:
    """The ids of the groups of each user, asked by group or by user, whichever there are fewer of."""
    by_group: list[tuple[str, dict[str, Any]]] = [
        ("ListGroupMemberships", {"GroupId": group["GroupId"]}) for group in groups
    ]
    by_user: list[tuple[str, dict[str, Any]]] = [
        ("ListGroupMembershipsForMember", {"MemberId": {"UserId": user["UserId"]}}) for user in users
    ]

    def members(wanted: tuple[str, dict[str, Any]]) -> list[Any]:
        operation, request = wanted
        request = {"IdentityStoreId": store_id, "MaxResults": PAGE, **request}
        return unless_gone(partial(store.items, operation, "GroupMemberships", store_id, **request))

    wanted = by_group if len(by_group) <= len(by_user) else by_user
    found: dict[str, list[str]] = defaultdict(list)
    for memberships in pool.each(members, wanted, "memberships", progress):
        for one in memberships:
            if "UserId" in one["MemberId"]:
                found[one["MemberId"]["UserId"]].append(one["GroupId"])
    return found


def _user(store_id: str, answer: Mapping[str, Any], group_ids: Iterable[str]) -> OrgUser:
    emails = answer.get("Emails") or ()
    primary = next((one.get("Value") for one in emails if one.get("Primary")), None)
    return OrgUser(
        identity_store_id=store_id,
        user_id=answer["UserId"],
        user_name=answer["UserName"],
        display_name=answer.get("DisplayName") or "",
        email=primary or None,
        group_ids=tuple(sorted(set(group_ids))),
    )


def _group(store_id: str, answer: Mapping[str, Any]) -> OrgGroup:
    return OrgGroup(
        identity_store_id=store_id,
        group_id=answer["GroupId"],
        display_name=answer.get("DisplayName") or "",
        description=answer.get("Description") or "",
    )
