"""What of a what an object of Raito gives already, in the very words of a push.

A bucket of the account that is not synced any more is granted to nobody anew. What an access control gives on it stays:
Raito Cloud still grants it, and nobody took it away.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from raito_pipeline.aws.access.external_ids import ACCESS_POINT, PERMISSION_SET, POLICY, ROLE, permission_set_name
from raito_pipeline.aws.data_objects.names import parse_full_name
from raito_pipeline.aws.push.access_point_statements import point_statements
from raito_pipeline.aws.push.document_edits import own_statements
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.own_objects import existing
from raito_pipeline.aws.push.role_changes import inline_name
from raito_pipeline.aws.push.state import PushState
from raito_pipeline.aws.push.statements import as_list, compact, policy_for
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import WhatItem, made_by_raito

Right = tuple[str, str, str]
"""action, resource and condition, as a document has them"""


def unsynced_bucket(item: WhatItem, state: PushState) -> str | None:
    """The bucket of the account that a data object is of, whether it is synced or not; None where there is none."""
    place = parse_full_name(item.data_object.full_name)
    bucket = None if place is None else state.points.buckets.get(place.bucket)
    if place is None or bucket is None or place.account != state.account_id:
        return None
    return bucket.name if bucket.region in (None, place.region) else None


def already_given(draft: Draft, item: WhatItem, state: PushState, options: PushOptions) -> WhatItem | None:
    """An element of a what with those permissions that the access control's object gives on it; None without any.

    Of what Raito did not make that is what pushes wrote into it, and what the import shows of an access point. Nothing
    where the bucket is none of the account.
    """
    own_id = draft.owned_id or ""
    there = existing(state, own_id)
    bucket = unsynced_bucket(item, state)
    if there is None or bucket is None:
        return None
    is_own = made_by_raito(there.tags)
    documents = _documents(own_id, state) if is_own else _written_into(own_id, state)
    shown = frozenset() if is_own else _shown_of_a_point(own_id, item, state)
    given = {right for text in documents for right in _rights(text)}

    def is_given(permission: str) -> bool:
        if permission in shown:
            return True
        one = [replace(item, permissions=(permission,))]
        if own_id.startswith(ACCESS_POINT):
            arn = own_id.removeprefix(ACCESS_POINT)
            made: Iterable[Mapping[str, Any]] = point_statements(
                one, arn, bucket, state.account_id, options.aws_partition
            ).statements
        else:
            made = policy_for(one, state.account_id, options.aws_partition).document["Statement"]
        wanted = {right for statement in made for right in _rights_of(statement)}
        return bool(wanted) and wanted <= given

    kept = tuple(permission for permission in item.permissions if is_given(permission))
    return replace(item, permissions=kept) if kept else None


def _documents(own_id: str, state: PushState) -> Iterator[str]:
    """The documents that say what an object gives, also those of its further policies."""
    kind, _, name = own_id.partition(":")
    if f"{kind}:" == ROLE:
        yield state.inline.get(("role", name), {}).get(inline_name(name), "")
        yield from _further(inline_name(name), state)
    elif f"{kind}:" == POLICY:
        policy = state.policy(name)
        yield policy.document if policy is not None else ""
        yield from _further(name, state)
    elif f"{kind}:" == PERMISSION_SET:
        yield state.center.sets[permission_set_name(name)].inline_policy
    elif f"{kind}:" == ACCESS_POINT:
        yield state.points.points[name].policy or ""


def _written_into(own_id: str, state: PushState) -> Iterator[str]:
    """What pushes wrote into a role or a policy that Raito did not make; of other objects only the who is edited."""
    kind, _, name = own_id.partition(":")
    policy = state.policy(name) if f"{kind}:" == POLICY else None
    if f"{kind}:" == ROLE:
        yield from _documents(own_id, state)  # the inline policy that is Raito's, and nobody else's
    elif policy is not None:
        yield compact({"Statement": own_statements(policy.document)})


def _shown_of_a_point(own_id: str, item: WhatItem, state: PushState) -> frozenset[str]:
    """The permissions that an import before showed of an access point; the whole policy follows from its what."""
    row = state.view.providers.get(own_id) if own_id.startswith(ACCESS_POINT) else None
    listed = (
        () if row is None else (each for each in row.what if each.data_object.full_name == item.data_object.full_name)
    )
    return frozenset(name for each in listed for name in each.permissions)


def _further(stem: str, state: PushState) -> Iterator[str]:
    numbered = re.compile(rf"{re.escape(stem)}_\d+")
    for name, policy in state.policies.items():
        if numbered.fullmatch(name) and made_by_raito(policy.tags):
            yield policy.document


def _rights(document: str) -> Iterator[Right]:
    try:
        statements = as_list(json.loads(document or "{}").get("Statement") or [])
    except (ValueError, AttributeError):
        return
    for statement in statements:
        if isinstance(statement, dict) and statement.get("Effect") == "Allow":
            yield from _rights_of(statement)


def _rights_of(statement: Mapping[str, Any]) -> Iterator[Right]:
    conditions = [json.dumps(each, sort_keys=True) for each in _conditions(statement.get("Condition") or {})]
    for action in as_list(statement.get("Action") or []):
        for resource in as_list(statement.get("Resource") or []):
            yield from ((str(action), str(resource), condition) for condition in conditions)


def _conditions(condition: Any) -> Iterator[Any]:
    """A condition, or one for each folder where it is the one of a push: that names several folders of a bucket."""
    try:
        (prefixes,) = condition["StringLike"].values()
        is_of_a_push = condition == {"StringLike": {"s3:prefix": prefixes}}
    except (AttributeError, KeyError, TypeError, ValueError):
        is_of_a_push, prefixes = False, ()
    if is_of_a_push:
        yield from ({"StringLike": {"s3:prefix": one}} for one in as_list(prefixes))
    else:
        yield condition
