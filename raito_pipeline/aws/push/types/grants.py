"""What roles and policies of a plan share: the document of a what, and what a new object is made with."""

from collections.abc import Iterable
from typing import Any

from raito_pipeline.aws.push.documents import texts
from raito_pipeline.aws.push.documents.statements import NOTHING, Granted, policy_for
from raito_pipeline.aws.push.draft import Draft, Plans
from raito_pipeline.aws.push.rules.only_through import without_points
from raito_pipeline.model import CREATOR, WhatItem

_LONGEST_DESCRIPTION = 1_000


def granted(plans: Plans, draft: Draft, what: Iterable[WhatItem] | None = None) -> Granted:
    """The document that grants a what, by default all of the access control's. What cannot be granted is left out."""
    items = without_points(plans, draft, draft.control.what if what is None else what)
    options = plans.options
    policy = policy_for(items, plans.state.account_id, options.aws_partition, options.aws_athena_workgroups)
    draft.warnings += policy.warnings
    for problem in policy.problems:
        draft.leave_out(problem)
    return policy


def gives(document: Granted) -> bool:
    """False for a document that allows nothing."""
    return bool(document.document["Statement"] != [NOTHING])


def made_in_iam(plans: Plans, draft: Draft) -> dict[str, Any]:
    """The members of a request that makes a role or a managed policy: as `described_and_tagged`, and the path."""
    path = plans.options.aws_iam_path
    return {**described_and_tagged(draft), **({} if path == "/" else {"Path": path})}


def described_and_tagged(draft: Draft) -> dict[str, Any]:
    """The members of a request that makes an object: its description, and the tag that says who made it."""
    description, warnings = texts.description(draft.control.description, _LONGEST_DESCRIPTION)
    draft.warnings += warnings
    return {"Description": description, "Tags": [{"Key": CREATOR.key, "Value": CREATOR.value}]}
