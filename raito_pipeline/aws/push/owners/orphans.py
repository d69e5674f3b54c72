"""What Raito made and nobody grants any more: objects with `creator=RAITO` that no access control of the export names.

They are shown, and removed only where `aws-push-remove-orphans` asks for it, and never because of an export that does
not hold every access control of the data source.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from raito_pipeline.aws.access.external_ids import ACCESS_POINT, PERMISSION_SET, POLICY, ROLE
from raito_pipeline.aws.push.account.center_state import serves
from raito_pipeline.aws.push.account.point_state import name_in_arn
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.draft import NONE, Draft
from raito_pipeline.aws.push.owners.own_objects import Existing, object_key
from raito_pipeline.aws.push.owners.owner_tags import owner_of
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.model import EMPTY_WHO, AccessControl, PushChange, PushOrphan, made_by_raito


def find_orphans(
    drafts: Sequence[Draft],
    prefixes: Mapping[str, str],
    state: PushState,
    bounds: Bounds,
    remove: bool,
    further: Iterable[str] = (),
) -> tuple[PushOrphan, ...]:
    """The objects of the account that nobody grants any more, sorted. `remove`: whether they are to be removed.

    `further` are external ids that access controls have beside their own.
    """
    named = (text for draft in drafts for text in _claims(draft, prefixes))
    claimed = {object_key(text) for text in (*named, *further)} | set(bounds.claimed_elsewhere)
    exported = {draft.control.id for draft in drafts}
    orphans = []
    for kind, external_id, there in made_by_pushes(prefixes, state):
        source, control = owner_of(there.tags)
        if external_id.startswith(ACCESS_POINT) and control in exported:
            continue  # a new one is named by its ARN only once it is planned
        names = {object_key(external_id), object_key(_by_name(external_id))}
        if claimed & names or source not in (None, bounds.data_source):
            continue  # the one of another data source is in another export
        why_kept = _why_kept(source, bounds, remove)
        orphans.append(PushOrphan(external_id, kind, there.resource, source, control, not why_kept, why_kept))
    return tuple(sorted(orphans, key=lambda orphan: orphan.external_id))


def _by_name(external_id: str) -> str:
    """An external id that holds an ARN as it would be with the name: a new access control knows no region yet."""
    prefix, _, rest = external_id.partition(":")
    return f"{prefix}:{name_in_arn(rest)}" if external_id.startswith(ACCESS_POINT) else external_id


def _claims(draft: Draft, prefixes: Mapping[str, str]) -> Iterator[str]:
    """The external ids that an access control has, had, or will have."""
    prefix = prefixes.get(draft.kind, "")
    names = (draft.name, draft.control.actual_name)
    yield from (f"{prefix}{name}" for name in names if name)
    yield from (text for text in (draft.owned_id, draft.external_id) if text)


def made_by_pushes(prefixes: Mapping[str, str], state: PushState) -> Iterator[tuple[str, str, Existing]]:
    """What Raito made: its type, external id, and what is stored of it."""
    kinds = {prefix: kind for kind, prefix in prefixes.items()}
    for role in state.roles.values():
        if made_by_raito(role.tags) and not role.path.startswith("/aws-"):
            yield kinds[ROLE], f"{ROLE}{role.role_name}", Existing(role.role_name, role.tags)
    for policy in state.policies.values():
        if made_by_raito(policy.tags) and not policy.aws_managed:
            yield kinds[POLICY], f"{POLICY}{policy.policy_name}", Existing(policy.arn, policy.tags)
    for one in state.center.by_raito:
        served = serves(one)
        if served == state.account_id or (served is None and set(one.account_ids) == {state.account_id}):
            yield kinds[PERMISSION_SET], f"{PERMISSION_SET}{one.name}", Existing(one.name, one.tags)
    for point in state.points.points.values():
        if made_by_raito(point.tags):
            yield kinds[ACCESS_POINT], f"{ACCESS_POINT}{point.arn}", Existing(point.arn, point.tags)


def _why_kept(source: str | None, bounds: Bounds, remove: bool) -> str:
    """Why an orphan stays; empty where it is removed."""
    if not remove:
        return "aws-push-remove-orphans is off"
    if not bounds.whole_export:
        return "the export does not hold every access control"
    if source is None and bounds.shared:
        return "several targets push or pushed into this account, and no tag says for which one it was made"
    return ""


def shown(orphans: Iterable[PushOrphan]) -> list[PushChange]:
    """A row of the plan for each orphan that stays."""
    return [
        PushChange(
            0, "", "", NONE, orphan.type, orphan.resource, None, None,
            f"nobody grants this any more (made by Raito, and named by no access control); it stays: {orphan.why_kept}",
        )
        for orphan in orphans
        if not orphan.removed
    ]  # fmt: skip


def removals(orphans: Iterable[PushOrphan], after: int) -> list[Draft]:
    """A draft for each orphan that is removed, as if Raito Cloud asked to delete it, at positions after `after`."""
    removed = (orphan for orphan in orphans if orphan.removed)
    return [Draft(_deleted(orphan, after + number), orphan.type) for number, orphan in enumerate(removed, start=1)]


def _deleted(orphan: PushOrphan, position: int) -> AccessControl:
    name = orphan.external_id.partition(":")[2]
    return AccessControl(
        position=position,
        id=f"orphan:{orphan.external_id}",
        name=f"{name} (nobody grants it any more)",
        description="",
        naming_hint="",
        type=orphan.type,
        external_id=orphan.external_id,
        action="grant",
        delete=True,
        actual_name=name,
        who=EMPTY_WHO,
        deleted_who=None,
        what=(),
        delete_what=(),
        who_locked=False,
        inheritance_locked=False,
        what_locked=False,
        delete_locked=False,
        owners=(),
    )
