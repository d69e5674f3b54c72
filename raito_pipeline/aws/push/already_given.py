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
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.own_objects import existing
from raito_pipeline.aws.push.role_changes import inline_name
from raito_pipeline.aws.push.state import PushState
from raito_pipeline.aws.push.statements import as_list, policy_for
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

    Nothing of what Raito did not make, or where the bucket is none of the account.
    """
    own_id = draft.owned_id or ""
    there = existing(state, own_id)
    bucket = unsynced_bucket(item, state)
    if there is None or bucket is None or not made_by_raito(there.tags):
        return None
    given = {right for text in _documents(own_id, state) for right in _rights(text)}

    def is_given(permission: str) -> bool:
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
    condition = json.dumps(statement.get("Condition") or {}, sort_keys=True)
    for action in as_list(statement.get("Action") or []):
        for resource in as_list(statement.get("Resource") or []):
            yield str(action), str(resource), condition
