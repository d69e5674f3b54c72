"""Inline policies of a user or a group that an access control was imported of: a managed policy takes their place.

One that somebody edited gets a managed policy for its who, and the inline ones that it names go; one that holds what
Raito Cloud does not see stays, which is an error of its own.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass

from raito_pipeline.aws.access.external_ids import GROUP, USER
from raito_pipeline.aws.push.document_edits import Edit, narrowed
from raito_pipeline.aws.push.draft import Draft, Plans
from raito_pipeline.aws.push.policy_changes import DeleteReplacedInline
from raito_pipeline.aws.push.state import Principal

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


def plan_inline_goes(
    plans: Plans, draft: Draft, source: InlineSource, wanted: Collection[Principal], arn: str | None
) -> None:
    """Plan that the inline policies go: once the policy `arn` is there, for those who still have access by it."""
    kind, name = source.principal
    option = plans.state.not_read.get(f"inline policies of a {kind}")
    if option is not None:
        draft.leave_out(f"the inline policies of {kind} {name} stay, because {option} is on: they were not read")
        return
    view, documents = plans.state.view.of(source.principal), plans.state.inline.get(source.principal, {})
    for each in source.names:
        document = documents.get(each)
        if document is None:
            continue
        left = narrowed(document, Edit(view, view.given_by(document), frozenset()), named=f"inline policy {each}")
        if left.text is not None and json.loads(left.text)["Statement"]:
            draft.leave_out(
                f"inline policy {each} of {kind} {name} stays, and gives what it gave: it holds what Raito Cloud does "
                f"not see. Remove from it in AWS what it shall not give any more"
            )
            continue
        replaced = source.principal in wanted and arn is not None
        why = "a managed policy takes its place" if replaced else "it was taken away in Raito Cloud"
        resource = f"{kind}:{name}/{each}"
        draft.change(DeleteReplacedInline, resource, why, before=document, after=arn if replaced else None)
