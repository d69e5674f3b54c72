"""The documents that an access provider was imported of, by the external id of the access control that it is now."""

from dataclasses import dataclass

from raito_pipeline.aws.access.external_ids import GROUP, POLICY, ROLE, USER
from raito_pipeline.aws.access.policies import read_as
from raito_pipeline.aws.push.account.imported import ImportView
from raito_pipeline.aws.push.account.state import Principal, PushState

_MARK = "|inline:"


@dataclass(frozen=True)
class InlineSource:
    """What an external id such as `user:ada|inline:one|two|` names."""

    principal: Principal
    names: tuple[str, ...]


def inline_source(external_id: str | None) -> InlineSource | None:
    """The inline policies that an external id names; None for one of another kind."""
    text = external_id or ""
    prefix = next((each for each in (USER, GROUP) if text.startswith(each)), None)
    name, mark, listed = text.removeprefix(prefix or "").partition(_MARK)
    if prefix is None or not mark:
        return None
    return InlineSource((prefix.removesuffix(":"), name), tuple(each for each in listed.split("|") if each))


def as_read(view: ImportView, arn: str) -> ImportView:
    """The view of the holder as whom the import reads a managed policy, where it does so."""
    reader = read_as(view.account, arn) if arn in view.account.documents else None
    return view if reader is None else view.of(reader)


def documents_of(external_id: str, state: PushState) -> tuple[ImportView, list[str]]:
    """The documents of an access provider, and how they are read; none where it has others than IAM's."""
    source = inline_source(external_id)
    policy = state.policy(external_id.removeprefix(POLICY)) if external_id.startswith(POLICY) else None
    if policy is not None:
        return as_read(state.view, policy.arn), [policy.document]
    if source is None and external_id.startswith(ROLE):
        source = InlineSource(("role", external_id.removeprefix(ROLE)), ())
    if source is None:
        return state.view, []
    return state.view.of(source.principal), list(state.inline.get(source.principal, {}).values())
