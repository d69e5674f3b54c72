"""Makes the changes of a plan in AWS, and gives one result for every access control, whatever happens to the others."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid, AwsDenied, AwsError
from raito_pipeline.aws.push.calls.iam_calls import Iam
from raito_pipeline.aws.push.calls.point_calls import Points
from raito_pipeline.aws.push.calls.verify import differences
from raito_pipeline.aws.push.changes import Aws, CenterCalls, Change
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.owners.ownership import ChangeRefused, Objects
from raito_pipeline.aws.push.pushed_types import PushedTypes
from raito_pipeline.aws.push.rules.losses import HeldBack
from raito_pipeline.aws.push.schedule import Step, run, steps
from raito_pipeline.aws.readers.reading import Progress, no_progress
from raito_pipeline.model import AccessControl, PushChange, PushResult, PushTarget
from raito_pipeline.redaction import one_line

logger = logging.getLogger(__name__)
NOTHING_HELD_BACK = HeldBack()


@dataclass(frozen=True, slots=True)
class Applied:
    """One result for every access control, in the order of the export; whether AWS denied every change."""

    results: tuple[PushResult, ...]
    all_denied: bool
    differences: tuple[str, ...] = ()
    """what AWS has otherwise than the push left it, as a second look showed"""


def apply_plan(
    clients: AwsClients,
    account_id: str,
    types: PushedTypes,
    changes: Iterable[PushChange],
    targets: Iterable[PushTarget],
    controls: Iterable[AccessControl],
    concurrency: int = 5,
    progress: Progress = no_progress,
    center: CenterCalls | None = None,
    held_back: HeldBack = NOTHING_HELD_BACK,
    *,
    again: bool = False,
) -> Applied:
    """Make the changes in the order of the plan, those that do not depend on each other at the same time.

    The first change of an access control that fails keeps its later ones from being made, but not those that only take
    access away; and those of others where they need what it should have made. `controls` is the export: it says which
    objects belong to whom; `center` makes the calls of Identity Center, where the account links an organization.
    Nothing is changed for a target that is refused. Nothing is raised for a change that fails, whatever the reason;
    what is `held_back` counts as failed for that reason. What was made is read again at the end. A plan that was made
    before (`again`) writes only what AWS has not, or not any more.
    """
    exported = {control.id: control for control in controls}
    wanted = tuple(targets)
    allowed = {target.access_control_id for target in wanted if not target.refused}
    listed = steps(types.changes(change for change in changes if change.access_control_id in allowed))
    own_ids = {control.id: control.external_id for control in exported.values() if control.external_id}
    aws = Aws(
        Iam(clients, account_id),
        Objects(account_id, own_ids),
        Points(clients, account_id),
        center,
        no_answer=(AwsError,),
        again=again,
    )
    work = _Work(aws, types, listed, progress, held_back)
    run(listed, work.make, concurrency)
    made = (listed[index].change for index in sorted(work.made))
    results = work.results(wanted, exported, concurrency)
    return Applied(results, work.all_denied, differences(work.aws, made, concurrency))


def _only_takes(change: Change) -> bool:
    return change.intended is None and change.revokes and Effect.REMOVES not in change.effect


def _gone(result: PushResult) -> str:
    return (
        f"{result.external_id} is gone from AWS: somebody removed it since it was read, and nobody has anything by it. "
        f"The next push makes it anew"
    )


@dataclass
class _Work:
    """What came of the changes so far, by their place in the list."""

    aws: Aws
    types: PushedTypes
    listed: Sequence[Step]
    progress: Progress
    held_back: HeldBack = NOTHING_HELD_BACK
    failed: dict[int, str] = field(default_factory=dict)
    made: set[int] = field(default_factory=set)
    refused: int = 0
    denied: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def make(self, index: int) -> None:
        """Make one change; of one that needs what has failed only what takes access away."""
        step = self.listed[index]
        problem = self._in_the_way(step)
        if problem is None:
            problem = self._try(step.change, self._carry_out)
        else:
            problem = self._try(step.change, lambda change: change.take_away(self.aws)) or problem
        with self.lock:
            if problem is None:
                self.made.add(index)
            else:
                self.failed[index] = problem
            self.progress("changes in AWS", len(self.made) + len(self.failed), len(self.listed))

    def _try(self, change: Change, make: Callable[[Change], None]) -> str | None:
        """Make a change, or a part of it; the error in one line, where there is one."""
        if change.row.position in self.held_back.positions:
            return self.held_back.reason
        try:
            make(change)
        except (AwsError, ChangeRefused) as error:
            with self.lock:
                self.denied += isinstance(error, (AwsDenied, AwsCredentialsInvalid))
                self.refused += 1
            return one_line(str(error))
        except Exception as error:
            # The edge of one change: whatever is wrong with it, every access control gets its feedback.
            logger.exception(change.title)
            return one_line(f"{change.title}: {type(error).__name__}: {error}")
        return None

    def _carry_out(self, change: Change) -> None:
        """Make a change. An answer that got lost is asked for again, and AWS may refuse what it has made already."""
        try:
            change.carry_out(self.aws)
        except (AwsDenied, AwsCredentialsInvalid):
            raise
        except AwsError as error:
            try:
                is_made = change.is_made(self.aws)
            except (AwsError, ChangeRefused):
                is_made = False
            if not is_made:
                raise error

    @property
    def all_denied(self) -> bool:
        """True where AWS denied everything that was tried."""
        return bool(self.denied) and not self.made and self.denied == self.refused

    def _in_the_way(self, step: Step) -> str | None:
        """Why a change is not tried: an empty text after a failure of the same access control, told already."""
        with self.lock:
            failed = [self.listed[index].change.row for index in sorted(step.needed & self.failed.keys())]
        own = step.change.row.access_control_id
        if not failed or any(row.access_control_id == own for row in failed):
            return "" if failed else None
        other = failed[0]
        return (
            f"{step.change.title}: not tried, because {other.kind} {other.resource} of access control "
            f"{other.access_control_name!r} ({other.access_control_id}) could not be made."
        )

    def results(
        self, targets: Iterable[PushTarget], exported: Mapping[str, AccessControl], concurrency: int
    ) -> tuple[PushResult, ...]:
        """What came of every access control, in the order of the export."""
        own: dict[str, list[int]] = {}
        for index, step in enumerate(self.listed):
            own.setdefault(step.change.row.access_control_id, []).append(index)
        ordered = sorted(targets, key=lambda target: target.position)
        results = {
            target.access_control_id: self._result(
                target, exported.get(target.access_control_id), own.get(target.access_control_id, [])
            )
            for target in ordered
        }
        losing = {each: change for each in results if (change := self._only_taken(results[each], own.get(each, [])))}
        with ThreadPoolExecutor(max(concurrency, 1), thread_name_prefix="gone") as pool:
            gone = dict(zip(losing, pool.map(self._is_gone, losing.values()), strict=True))
        for each in (each for each, is_gone in gone.items() if is_gone):
            results[each] = replace(results[each], warnings=(*results[each].warnings, _gone(results[each])))
        return tuple(results[target.access_control_id] for target in ordered)

    def _result(self, target: PushTarget, control: AccessControl | None, own: Sequence[int]) -> PushResult:
        own = [index for index in own if not self._came_by_another(index, own)]
        failed = [self.failed[index] for index in own if index in self.failed]
        errors = tuple(dict.fromkeys((*target.errors, *filter(None, failed))))
        name, external_id = target.actual_name, target.external_id
        if failed or target.refused:
            name, external_id = self._left(target, control, own)
        return PushResult(
            access_control_id=target.access_control_id,
            access_control_name=target.access_control_name,
            type=target.type,
            actual_name=name,
            external_id=external_id,
            changes_made=sum(index in self.made for index in own),
            changes_failed=sum(index in self.failed for index in own),
            errors=errors,
            warnings=(*target.warnings, *self.aws.notes.of(target.access_control_id)),
        )

    def _only_taken(self, result: PushResult, own: Sequence[int]) -> Change | None:
        """What is asked whether the object of an access control is there: where all that was made took something away.

        Nothing else tells it then: what is to be taken away is not there.
        """
        own = [index for index in own if not self._came_by_another(index, own)]
        made = [self.listed[index].change for index in own if index in self.made]
        return made[0] if result.external_id is not None and made and all(map(_only_takes, made)) else None

    def _is_gone(self, change: Change) -> bool:
        """Whether the object that a change took something from is gone; not where AWS does not say."""
        try:
            return not change.object_is_there(self.aws)
        except (AwsError, ChangeRefused):
            return False

    def _came_by_another(self, index: int, own: Sequence[int]) -> bool:
        """True for a change that failed, and that another access control made as well: AWS has what was asked for.

        Not where something else of the access control failed, which may have needed it.
        """
        failed = [one for one in own if one in self.failed]
        return index in failed and all(map(self._has_made_twin, failed))

    def _has_made_twin(self, index: int) -> bool:
        change = self.listed[index].change
        made = (self.listed[one].change for one in self.made)
        return any(
            type(each) is type(change) and each.place == change.place and each.intended == change.intended
            for each in made
        )

    def _left(self, target: PushTarget, control: AccessControl | None, own: Sequence[int]) -> tuple[str, str | None]:
        """Name and external id of what is in AWS after a failure: what was there before, until it was deleted.

        Where a policy was to get another name, the old one stays the access control's own until it is gone, so that the
        next push removes it.
        """
        made = [self.listed[index].change for index in own if index in self.made]
        if control and control.external_id and not any(map(self.types.deletes, made)):
            return control.actual_name or "", control.external_id
        if any(map(self.types.creates, made)):
            return target.actual_name, target.external_id
        return "", None
