"""What a message of Raito Cloud means for the targets of a configuration: which account, and what of it is to be done.

Nothing is contacted. What is not ours, or cannot be done as it was asked for, is said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from raito_pipeline.aws.data_objects.subtree import NoSubtree, Subtree
from raito_pipeline.config import AccountTarget, Options, OrganizationTarget
from raito_pipeline.orchestration.automation.trigger_queue import Trigger
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.raito.jobs import JobType
from raito_pipeline.raito.triggers import AccessUpdate, Message, SyncTrigger


@dataclass
class AskedFor:
    """What a message asks for of these targets, and what is to be said about the rest of it."""

    triggers: list[Trigger] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def asked_for(message: Message, options: Options) -> AskedFor:
    """What a message asks for of the targets of `raito.yml`."""
    asked = AskedFor()
    if isinstance(message, AccessUpdate):
        for data_source in message.data_sources:
            _push(asked, options, data_source)
        return asked
    targets = _targets(message, options)
    if not targets:
        ids = " and ".join(each for each in (message.data_source, message.identity_store) if each)
        asked.remarks.append(f"a sync of {ids} was asked for, which is of no target of {options.file}")
    for target in targets:
        if isinstance(target, OrganizationTarget):
            asked.triggers.append(Trigger(_owner(options, target), "sync"))
        elif target.closed is not None:
            asked.remarks.append(f"a sync of {target.name} was asked for, and not made: {closed(target)}")
        else:
            _sync(asked, target, message)
    return asked


def closed(target: AccountTarget) -> str:
    """Why nothing begins for an account that AWS has closed: it could only fail."""
    return f"AWS has closed the account ({target.closed})"


def pushes_of(options: Options, targets: Iterable[AccountTarget]) -> list[Trigger]:
    """A push for each of these targets, as messages may have been lost; none where `raito.yml` pushes nothing."""
    return [Trigger(each.partition, "push", messages=0) for each in targets if _no_push(options, each) is None]


def _push(asked: AskedFor, options: Options, data_source: str) -> None:
    targets = [each for each in options.accounts if each.data_source_id == data_source]
    pushed = [each for each in targets if _no_push(options, each) is None]
    asked.triggers += [Trigger(each.partition, "push") for each in pushed]
    if not targets:
        asked.remarks.append(f"a push of data source {data_source} was asked for, which is of no target")
    elif not pushed:
        reason = _no_push(options, targets[0])
        asked.remarks.append(f"a push of {targets[0].name} was asked for, and not made: {reason}")


def _no_push(options: Options, target: AccountTarget) -> str | None:
    if target.closed is not None:
        return closed(target)
    if target.skip_data_access_sync:
        return "skip-data-access-sync is on"
    if options.pipeline.mode == "plan":
        return "pipeline: mode is plan"
    return None if target.data_source_id else "the target has no data-source-id"


def _targets(message: SyncTrigger, options: Options) -> Sequence[AccountTarget | OrganizationTarget]:
    """The targets that a message is about: those of one data source do different stages of it."""
    if message.data_source is not None:
        return [each for each in options.accounts if each.data_source_id == message.data_source]
    return [each for each in options.targets if each.identity_store_id == message.identity_store]


def _owner(options: Options, target: OrganizationTarget) -> str:
    """The partition key of an organization."""
    return next(each.key for each in partitions.organizations(options) if each.target == target.name)


def _sync(asked: AskedFor, target: AccountTarget, message: SyncTrigger) -> None:
    stages = message.stages
    if message.parent is not None:
        part = _part(asked, target, message.parent, message.excludes)
        if part is not None:
            asked.triggers.append(part)
            stages = tuple(stage for stage in stages if stage is not JobType.DATA_SOURCE)
        elif JobType.DATA_SOURCE not in stages:
            stages = (*stages, JobType.DATA_SOURCE)
    if set(stages) == set(JobType):
        asked.triggers.append(Trigger(target.partition, "sync"))
    elif stages:
        asked.triggers.append(Trigger(target.partition, "sync", stages))
    elif message.parent is None:
        asked.remarks.append(f"a sync of {target.name} was asked for without any stage: nothing is done")


def _part(asked: AskedFor, target: AccountTarget, parent: str, excludes: tuple[str, ...]) -> Trigger | None:
    """What lies below an object; None where that cannot be read alone, which is said."""
    try:
        place = Subtree.of(parent, excludes).place
    except NoSubtree as error:
        asked.remarks.append(f"all data objects of {target.name} are read, because {error}")
        return None
    if not partitions.regions_of_part(target, place):
        asked.remarks.append(f"all data objects of {target.name} are read, because {parent} is not in its regions")
        return None
    return Trigger(target.partition, "part", (JobType.DATA_SOURCE,), parent, tuple(sorted(excludes)))
