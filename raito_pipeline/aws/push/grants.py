"""What roles and policies of a plan share: the document of a what, and what a new object is made with."""

from typing import Any

from raito_pipeline.aws.push import texts
from raito_pipeline.aws.push.draft import Draft, Plans, Refused
from raito_pipeline.aws.push.statements import Granted, WhatProblem, policy_for
from raito_pipeline.model import CREATOR

_LONGEST_DESCRIPTION = 1_000


def granted(plans: Plans, draft: Draft, limit: int, room: str) -> Granted:
    """The document that grants the what of an access control. `room` says who takes at most `limit` characters.

    Raises `Refused`.
    """
    try:
        found = policy_for(draft.control.what, plans.state.account_id, plans.options.aws_partition)
    except WhatProblem as error:
        raise Refused(str(error)) from None
    if len(found.text) > limit:
        raise Refused(f"its what needs {len(found.text)} characters, and {room}")
    return found


def described_and_tagged(draft: Draft) -> dict[str, Any]:
    """The members of a request that makes an object: its description, and the tag that says who made it."""
    description, warnings = texts.description(draft.control.description, _LONGEST_DESCRIPTION)
    draft.warnings += warnings
    return {"Description": description, "Tags": [{"Key": CREATOR.key, "Value": CREATOR.value}]}
