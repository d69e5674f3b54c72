"""Whose an object of AWS is: two tags name the data source and the access control that it was made, or is kept, for.

They stand beside `creator=RAITO`, which only says that Raito made it: two data sources may push into one account, and
Raito Cloud may forget an access control. What the Raito CLI made carries `creator` alone.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from raito_pipeline.model import CREATOR, AccessControl, Tag

DATA_SOURCE = "raito_data_source"
ACCESS_CONTROL = "raito_access_control"
_LONGEST = 256
_NOT_IN_TAGS = re.compile(r"[^\w\s.:/=+\-@]")


def owner_tags(data_source: str, control: AccessControl) -> tuple[Tag, ...]:
    """The tags of the objects of an access control; none where the data source is not known."""
    if not data_source:
        return ()
    return (Tag(DATA_SOURCE, _value(data_source)), Tag(ACCESS_CONTROL, named_in_tags(control)))


def named_in_tags(control: AccessControl) -> str:
    """An access control as the tags of its objects name it."""
    return _value(control.id)


def _value(text: str) -> str:
    """A text as AWS takes it: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"""
    return _NOT_IN_TAGS.sub("_", text)[:_LONGEST]


def owner_of(tags: Iterable[Tag] | None) -> tuple[str | None, str | None]:
    """The data source and the access control that tags name; None for what they do not say."""
    values = {tag.key: tag.value for tag in tags or ()}
    return values.get(DATA_SOURCE), values.get(ACCESS_CONTROL)


def another_owner(tags: Iterable[Tag] | None, wanted: Iterable[Tag]) -> str | None:
    """The owner that tags name where it is not the one of `wanted`, in words; None where they name it, or nobody."""
    source, control = owner_of(tags)
    wanted_source, wanted_control = owner_of(wanted)
    if source is not None and wanted_source is not None and source != wanted_source:
        return f"data source {source}"
    if control is not None and wanted_control is not None and control != wanted_control:
        return f"access control {control}"
    return None


def with_owner(request: str, tags: Iterable[Tag]) -> str:
    """A request that makes an object, with the tags of its owner before `creator`, which stays last.

    One that is no JSON object, or that sets no tags, is given back as it is.
    """
    try:
        members = json.loads(request)
    except ValueError:
        return request
    if not isinstance(members, dict) or not isinstance(members.get("Tags"), list):
        return request
    own = [{"Key": tag.key, "Value": tag.value} for tag in tags]
    keys = {tag["Key"] for tag in own}
    others = [tag for tag in members["Tags"] if tag.get("Key") not in keys]
    last = [tag for tag in others if tag.get("Key") == CREATOR.key]
    members["Tags"] = [*(tag for tag in others if tag not in last), *own, *last]
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False)


def tags_of_request(request: Any) -> tuple[Tag, ...]:
    """The tags that a request sets; none for what is no such request."""
    try:
        members = json.loads(request or "null")
    except ValueError:
        return ()
    listed = members.get("Tags") if isinstance(members, dict) else None
    return tuple(Tag(str(tag.get("Key")), str(tag.get("Value") or "")) for tag in listed or () if isinstance(tag, dict))
