"""The tags of a permission set of Raito: who made it, for which account, and what `aws-permissionset-*` ask for."""

import json
from collections.abc import Iterable, Mapping

from raito_pipeline.aws.push.documents.texts import tag_value
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import CREATOR, RAITO_ACCOUNT, AccessControl

_LONGEST_VALUE = 256
_MOST_TAGS = 50
"""https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html"""
_OWN = 4
"""tags of the pipeline's own: who made it, for which account, and for which access control of which data source"""


def tags_of_permission_set(
    control: AccessControl, account_id: str, options: PushOptions, *, mark_account: bool = True
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The tags by key, the one that says who made it last, and warnings.

    `mark_account`: the permission set serves this account alone, and a tag says so.
    """
    wanted, warnings = _asked_for(control, account_id, options)
    for own in (CREATOR.key, RAITO_ACCOUNT):
        if wanted.pop(own, None) is not None:
            warnings.append(f"tag {own} is kept for Raito, and cannot be set by an option")
    room = _MOST_TAGS - _OWN
    if len(wanted) > room:
        left_out = list(wanted)[room:]
        warnings.append(f"AWS takes {_MOST_TAGS} tags; left out: {', '.join(left_out)}")
        wanted = {key: wanted[key] for key in list(wanted)[:room]}
    if mark_account:
        wanted[RAITO_ACCOUNT] = account_id
    wanted[CREATOR.key] = CREATOR.value
    return wanted, tuple(warnings)


def _asked_for(control: AccessControl, account_id: str, options: PushOptions) -> tuple[dict[str, str], list[str]]:
    """Tags that options ask for; a later one wins where two have one key, as in the Raito CLI."""
    warnings: list[str] = []
    tags = dict(options.aws_permissionset_custom_tags)
    tags |= dict.fromkeys(_keys(options.aws_permissionset_account_id_tag), account_id)
    owners = [json.loads(owner) for owner in control.owners]
    for keys, member in (
        (options.aws_permissionset_owner_email_tag, "email"),
        (options.aws_permissionset_owner_name_tag, "accountName"),
        (options.aws_permissionset_owner_group_tag, "groupName"),
    ):
        for key in _keys(keys):
            tags[key] = _joined(key, owners, member, warnings)
    return {key: tag_value(value)[:_LONGEST_VALUE] for key, value in tags.items()}, warnings


def _keys(option: str | None) -> list[str]:
    return [key.strip() for key in (option or "").split(",") if key.strip()]


def _joined(key: str, owners: Iterable[Mapping[str, str | None]], member: str, warnings: list[str]) -> str:
    """The owners in one value: sorted, so that the same owners give the same tag, and none of them cut in two."""
    names = sorted({owner.get(member) or "" for owner in owners} - {""})
    value = "/".join(names)
    while len(value) > _LONGEST_VALUE and names:
        names.pop()
        value = "/".join(names)
        if len(value) <= _LONGEST_VALUE:
            warnings.append(f"tag {key} has room for {len(names)} of the owners")
    return value
