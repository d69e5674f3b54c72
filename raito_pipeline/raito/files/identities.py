"""Users and groups, of an account's IAM and of an organization's Identity Center."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from raito_pipeline.config.patterns import NamePattern, matches_any
from raito_pipeline.model import IamGroup, IamUser, OrgGroup, OrgUser
from raito_pipeline.raito.files.tags import email_of, is_machine, tag_elements
from raito_pipeline.raito.files.writer import ImportFile, write_json_array

Element = dict[str, Any]


def account_user(
    user: IamUser,
    group_ids: Mapping[str, str],
    *,
    excluded: Sequence[NamePattern] = (),
    machine_tag: str | None = None,
) -> Element:
    """An IAM user. `group_ids` maps names of IAM groups to their ids; a user whose whole name matches `excluded` has
    no tags and no e-mail address; `machine_tag` is the `key:value` that marks machines."""
    bare = matches_any(excluded, user.user_name)
    tags = () if bare else user.tags
    return _user(
        user.user_id,
        user.user_name,
        email_of(tags, user.user_name),
        groups=[group_ids[name] for name in user.group_names if name in group_ids],
        tags=None if bare else tag_elements(tags),
        machine=is_machine(tags, machine_tag),
    )


def root_user(account_id: str) -> Element:
    """The account's root user, which IAM does not list. Its id is the same in every partition of AWS."""
    arn = f"arn:aws:iam::{account_id}:user/root"
    return _user(arn, "root", f"root@{account_id}", groups=None, tags=None, machine=False)


def account_group(group: IamGroup) -> Element:
    """An IAM group."""
    return _group(group.group_id, group.group_name, "")


def organization_user(user: OrgUser) -> Element:
    """A person of Identity Center."""
    email = user.email or user.user_name
    return _user(user.user_id, user.user_name, email, groups=list(user.group_ids), tags=None, machine=False)


def organization_group(group: OrgGroup) -> Element:
    """A group of Identity Center."""
    return _group(group.group_id, group.display_name, group.description)


def write_account_identities(
    folder: Path,
    account_id: str,
    users: Iterable[IamUser],
    groups: Iterable[IamGroup],
    *,
    excluded: Sequence[NamePattern] = (),
    machine_tag: str | None = None,
) -> tuple[ImportFile, ImportFile]:
    """Write `users.json` and `groups.json` of an account; the root user comes last."""
    held = list(groups)
    ids = {group.group_name: group.group_id for group in held}
    people = (account_user(user, ids, excluded=excluded, machine_tag=machine_tag) for user in users)
    users_file = write_json_array(folder / "users.json", _and_then(people, root_user(account_id)))
    return users_file, write_json_array(folder / "groups.json", map(account_group, held))


def write_organization_identities(
    folder: Path, users: Iterable[OrgUser], groups: Iterable[OrgGroup]
) -> tuple[ImportFile, ImportFile]:
    """Write `users.json` and `groups.json` of an organization."""
    users_file = write_json_array(folder / "users.json", map(organization_user, users))
    return users_file, write_json_array(folder / "groups.json", map(organization_group, groups))


def _and_then(elements: Iterable[Element], last: Element) -> Iterable[Element]:
    yield from elements
    yield last


def _user(
    external_id: str,
    name: str,
    email: str,
    *,
    groups: list[str] | None,
    tags: list[dict[str, str]] | None,
    machine: bool,
) -> Element:
    return {
        "externalId": external_id,
        "name": name,
        "userName": name,
        "email": email,
        "groupExternalIds": groups,
        "tags": tags,
        "isMachine": True if machine else None,
    }


def _group(external_id: str, name: str, description: str) -> Element:
    return {
        "externalId": external_id,
        "name": name,
        "displayName": name,
        "description": description,
        "parentGroupExternalIds": None,
        "tags": None,
    }
