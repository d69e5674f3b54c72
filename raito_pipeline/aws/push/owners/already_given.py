"""What of a what an object of Raito gives already, in the very words of a push.

A bucket of the account that is not synced any more is granted to nobody anew. What an access control gives on it stays:
Raito Cloud still grants it, and nobody took it away.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from raito_pipeline.aws.access.external_ids import ACCESS_POINT, PERMISSION_SET, POLICY, ROLE, permission_set_name
from raito_pipeline.aws.data_objects.names import parse_full_name
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.documents.document_edits import own_statements
from raito_pipeline.aws.push.documents.statements import as_list, compact, policy_for
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.owners.own_objects import existing
from raito_pipeline.aws.push.types.access_point_statements import point_statements
from raito_pipeline.aws.push.types.role_changes import inline_name
from raito_pipeline.aws.push.types.splitting import MOST_ATTACHED
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


@dataclass(frozen=True)
class AlreadyGiven:
    """What the object of an access control gives."""

    draft: Draft
    state: PushState
    options: PushOptions

    def of(self, item: WhatItem) -> WhatItem | None:
        """An element of a what with those permissions that the object gives on it; None without any.

        Of what Raito did not make that is what pushes wrote into it, and what the import shows of an access point.
        Nothing where the bucket is none of the account.
        """
        bucket = unsynced_bucket(item, self.state)
        if bucket is None:
            return None
        kept = tuple(each for each in item.permissions if self._is_given(replace(item, permissions=(each,)), bucket))
        return replace(item, permissions=kept) if kept else None

    def _is_given(self, one: WhatItem, bucket: str) -> bool:
        state, partition, own_id = self.state, self.options.aws_partition, self._own_id
        if (one.data_object.full_name, *one.permissions) in self._shown:
            return True
        if own_id.startswith(ACCESS_POINT):
            arn = own_id.removeprefix(ACCESS_POINT)
            made: Iterable[Mapping[str, Any]] = point_statements(
                [one], arn, bucket, state.account_id, partition
            ).statements
        else:
            made = policy_for([one], state.account_id, partition).document["Statement"]
        wanted = {right for statement in made for right in _rights_of(statement)}
        return bool(wanted) and wanted <= self._given

    @property
    def _own_id(self) -> str:
        return self.draft.owned_id or ""

    @cached_property
    def _is_of_raito(self) -> bool | None:
        """Whether Raito made the object; None where there is none."""
        there = existing(self.state, self._own_id)
        return None if there is None else made_by_raito(there.tags)

    @cached_property
    def _given(self) -> frozenset[Right]:
        if self._is_of_raito is None:
            return frozenset()
        listed = _documents if self._is_of_raito else _written_into
        return frozenset(right for text in listed(self._own_id, self.state) for right in _rights(text))

    @cached_property
    def _shown(self) -> frozenset[tuple[str, str]]:
        """What an import before showed of an access point of others: its whole policy follows from its what."""
        is_of_others = self._is_of_raito is False and self._own_id.startswith(ACCESS_POINT)
        row = self.state.view.providers.get(self._own_id) if is_of_others else None
        what = () if row is None else row.what
        return frozenset((item.data_object.full_name, name) for item in what for name in item.permissions)


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


def _further(stem: str, state: PushState) -> Iterator[str]:
    for number in range(2, MOST_ATTACHED + 1):
        policy = state.policies.get(f"{stem}_{number}")
        if policy is not None and made_by_raito(policy.tags):
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
