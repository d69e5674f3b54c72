"""What changed in AWS since the last push: what it made is planned once more, and has to be as it is.

A push notes the access controls that it made, as they are now. Where AWS was read since, a plan of them that would
change something is drift: somebody changed by hand what Raito Cloud grants.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.inputs import PLANNED_ON
from raito_pipeline.aws.push.wording import in_words
from raito_pipeline.model import TABLES, AccessControl, PushResult
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.push.plans import FOLDER, Planning
from raito_pipeline.storage import Store
from raito_pipeline.storage.errors import storage_errors
from raito_pipeline.storage.files import put

_FILE = "last_push.json"
_MOST_LINES = 20


@dataclass(frozen=True)
class LastPush:
    """What a push left in AWS: the access controls that it made, under the names that they have there."""

    ended_at: datetime
    plan_id: str
    controls: tuple[AccessControl, ...]

    @classmethod
    def of(
        cls,
        plan_id: str,
        controls: Iterable[AccessControl],
        results: Iterable[PushResult],
        before: "LastPush | None",
        *,
        whole: bool = True,
    ) -> "LastPush":
        """The access controls that are in AWS as granted; of those that failed, what the push before had made, unless
        something of it was changed all the same.

        Where the push was not of the `whole` export, what it did not name is as the push before left it.
        """
        made = {result.access_control_id: result for result in results}
        earlier: Mapping[str, AccessControl] = {} if before is None else {each.id: each for each in before.controls}
        controls = tuple(controls)
        named = {control.id for control in controls}
        left = [] if whole else [control for control in earlier.values() if control.id not in named]
        for control in controls:
            result = made.get(control.id)
            if result is None or result.errors:
                is_as_before = control.id in earlier and not control.delete and not (result and result.changes_made)
                left += [earlier[control.id]] if is_as_before else []
            elif result.external_id is not None:
                made_as = replace(control, external_id=result.external_id, actual_name=result.actual_name)
                left.append(replace(made_as, type=result.type or control.type))
        return cls(datetime.now(UTC), plan_id, tuple(left))


@dataclass(frozen=True)
class Drift:
    """What AWS has otherwise than the last push left it, a line each; `reason` says why that is not known."""

    lines: tuple[str, ...] = ()
    reason: str = ""


def note_push(store: Store, account: str, last: LastPush) -> None:
    """Note what a push left. Raises `StorageError`."""
    path = _path(store, account)
    with storage_errors(f"the note of the last push of {account}", "written", store.files.scheme + path):
        put(store.files, path, msgspec.json.encode(last))


def last_push(store: Store, account: str) -> LastPush | None:
    """What the last push left; None where none was noted, or the note is of another version. Raises `StorageError`."""
    path = _path(store, account)
    with storage_errors(f"the note of the last push of {account}", "read", store.files.scheme + path):
        content = store.files.read(path)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=LastPush)
    except msgspec.DecodeError:
        return None


def look(planning: Planning, grid: Grid) -> Drift:
    """Compare what is stored of AWS with what the last push left. Raises `CellMissing`, `StorageError`."""
    store, account = planning.store, planning.cell.account
    last = last_push(store, account)
    if last is None:
        return Drift(reason="nothing was pushed yet, or the note of the last push cannot be read")
    infos = (store.info(table, account) for table in PLANNED_ON if TABLES[table].is_read_from_aws)
    older = [info.table for info in infos if info is not None and info.read_at <= last.ended_at]
    if older:
        return Drift(reason=f"{older[0]} was not read since the last push")
    plan = planning.plan(grid, last.controls, "the last push")
    if plan.problems:
        return Drift(reason=plan.problems[0])
    controls = in_words(ACCESS_PROVIDER_TYPES.push, plan)
    lines = [
        f"{each.head} is not as the push left it; it would be put right: {each.sentence}"
        for each in controls
        if each.changes
    ]
    more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return Drift((*lines[:_MOST_LINES], *more))


def _path(store: Store, account: str) -> str:
    return posixpath.join(store.root, FOLDER, f"account={account}", "notes", _FILE)
