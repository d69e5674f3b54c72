"""Reading the people of one identity store: users, groups, and who is in which group.

https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/welcome.html
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.connection.paging import Service
from raito_pipeline.aws.readers.elements import each_element
from raito_pipeline.aws.readers.reading import Progress, UnreadElement, Workers
from raito_pipeline.first_few import first_few
from raito_pipeline.model import OrgGroup, OrgUser

PAGE = 100
"""Items a page: the most that Identity Center gives."""
_MOST_NAMED = 5
Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class People:
    """The users and groups of one identity store.

    `missed` are the memberships that were not read, `problems` say what was left out, `notes` what is shown otherwise
    than people expect.
    """

    users: tuple[OrgUser, ...]
    groups: tuple[OrgGroup, ...]
    missed: tuple[UnreadElement, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def names(self) -> dict[tuple[str, str], str]:
        """The names of users and groups by (`USER` or `GROUP`, id)."""
        names = {("USER", user.user_id): user.user_name for user in self.users}
        return names | {("GROUP", group.group_id): group.display_name for group in self.groups}


@dataclass
class _Memberships:
    """The groups of each user; users and groups that were deleted since they were listed; what was not read."""

    of_user: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    gone: set[str] = field(default_factory=set)
    missed: list[UnreadElement] = field(default_factory=list)


def read_people(
    store: Service, store_id: str, pool: Workers, progress: Progress, earlier: Iterable[OrgUser] = ()
) -> People:
    """Read the identity store `store_id` (`d-...`). Raises `AwsError` where a list, or every membership, fails.

    `earlier` are the users as the previous sync stored them: memberships that cannot be read are those.
    """

    def listed(wanted: str) -> list[Any]:
        return store.items(f"List{wanted}", wanted, store_id, IdentityStoreId=store_id, MaxResults=PAGE)

    users, groups = pool.each(listed, ("Users", "Groups"), "people", progress)
    named = [one for one in users if one and one.get("UserId")], [one for one in groups if one and one.get("GroupId")]
    before = {user.user_id: user for user in earlier if user.identity_store_id == store_id}
    read = _memberships(store, store_id, *named, before, pool, progress)
    known = {one["GroupId"] for one in named[1]} - read.gone
    people = [one for one in named[0] if one["UserId"] not in read.gone]
    return People(
        tuple(_user(store_id, one, read.of_user[one["UserId"]] & known) for one in people),
        tuple(_group(store_id, one) for one in named[1] if one["GroupId"] in known),
        tuple(read.missed),
        _left_out(store_id, len(users) - len(named[0]), len(groups) - len(named[1])),
        (*_nameless("UserName", "UserId", people), *_nameless("DisplayName", "GroupId", named[1])),
    )


def email_of(emails: Sequence[Answer | None] | None) -> str | None:
    """The e-mail address of a user: the primary one, else one for work, else any; null where there is none.

    Of several that are alike the first of the alphabet, so that the order of an answer changes nothing.
    """
    given = [(one, (one.get("Value") or "").strip()) for one in emails or () if one]
    ranked = sorted(
        (not one.get("Primary"), (one.get("Type") or "").lower() != "work", value.lower(), value)
        for one, value in given
        if value
    )
    return ranked[0][-1] if ranked else None


def _memberships(
    store: Service,
    store_id: str,
    users: Sequence[Answer],
    groups: Sequence[Answer],
    before: Mapping[str, OrgUser],
    pool: Workers,
    progress: Progress,
) -> _Memberships:
    """Who is in which group, asked by group or by user, whichever there are fewer of."""
    by_group: list[tuple[str, str, dict[str, Any]]] = [
        ("ListGroupMemberships", group["GroupId"], {"GroupId": group["GroupId"]}) for group in groups
    ]
    by_user: list[tuple[str, str, dict[str, Any]]] = [
        ("ListGroupMembershipsForMember", user["UserId"], {"MemberId": {"UserId": user["UserId"]}}) for user in users
    ]

    def members(wanted: tuple[str, str, dict[str, Any]]) -> list[Any]:
        operation, _, request = wanted
        request = {"IdentityStoreId": store_id, "MaxResults": PAGE, **request}
        return store.items(operation, "GroupMemberships", store_id, **request)

    wanted = by_group if len(by_group) <= len(by_user) else by_user
    memberships = _Memberships()
    answers = each_element(pool, members, wanted, "memberships", progress)
    for (_, subject, _), answer in zip(wanted, answers, strict=True):
        if isinstance(answer, AwsGone):
            memberships.gone.add(subject)
        elif isinstance(answer, AwsError):
            kept = bool(before) if wanted is by_group else subject in before
            memberships.missed.append(UnreadElement("members of groups", subject, answer, kept))
            for user in before.values():
                kept_groups = {group for group in user.group_ids if subject in (group, user.user_id)}
                memberships.of_user[user.user_id] |= kept_groups
        else:
            for one in answer:
                member = ((one or {}).get("MemberId") or {}).get("UserId")
                if member and one.get("GroupId"):
                    memberships.of_user[member].add(one["GroupId"])
    return memberships


def _user(store_id: str, answer: Answer, group_ids: Iterable[str]) -> OrgUser:
    return OrgUser(
        identity_store_id=store_id,
        user_id=answer["UserId"],
        user_name=answer.get("UserName") or answer["UserId"],
        display_name=answer.get("DisplayName") or "",
        email=email_of(answer.get("Emails")),
        group_ids=tuple(sorted(group_ids)),
    )


def _group(store_id: str, answer: Answer) -> OrgGroup:
    return OrgGroup(
        identity_store_id=store_id,
        group_id=answer["GroupId"],
        display_name=answer.get("DisplayName") or answer["GroupId"],
        description=answer.get("Description") or "",
    )


def _left_out(store_id: str, users: int, groups: int) -> tuple[str, ...]:
    kinds = (("users without UserId", users), ("groups without GroupId", groups))
    return tuple(f"{count} {what} in {store_id} were left out" for what, count in kinds if count)


def _nameless(name: str, key: str, answers: Iterable[Answer]) -> tuple[str, ...]:
    ids = sorted(one[key] for one in answers if not one.get(name))
    return (f"without {name}, so shown by {key}: {first_few(ids, _MOST_NAMED)}",) if ids else ()
