"""Tags of managed policies that a plan needs and the stored tables lack: asked when it is planned, a call each.

IAM gives the tags of a policy with no listing, so the tables hold those of policies that could be imported. A policy
that carries a name of the export is asked for here, also where nobody has it or it is not about S3: what a push made
before it was broken off is known again.
"""

import logging
from collections.abc import Callable, Sequence

from raito_pipeline.aws.connection.clients import AwsClients, WrongAccount
from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.calls.iam_calls import Iam
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.pushed_types import PushedTypes
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.readers.reading import element_error, no_progress, workers
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl, Tag

logger = logging.getLogger(__name__)
_AT_ONCE = 5


def plan_with_tags(
    clients: Callable[[], AwsClients],
    controls: Sequence[AccessControl],
    state: PushState,
    options: PushOptions,
    types: PushedTypes,
    bounds: Bounds | None = None,
) -> Plan:
    """A plan that knows the tags of the policies that it needs. `clients` is called where some have to be asked.

    `bounds` are what the export is held to. Where AWS does not give the tags of a policy, the plan says so.
    """
    plan = plan_push(controls, state, options, types, bounds)
    asked: set[str] = set()
    while missing := sorted(set(plan.unread_tags) - asked):
        asked |= set(missing)
        try:
            state = state.with_policy_tags(_tags(Iam(clients(), state.account_id), missing))
        except (AwsError, WrongAccount) as error:
            logger.warning("tags of policies could not be read for the plan: %s", error)
            break
        plan = plan_push(controls, state, options, types, bounds)
    return plan


def _tags(iam: Iam, arns: Sequence[str]) -> dict[str, tuple[Tag, ...]]:
    def ask(arn: str) -> tuple[Tag, ...] | None:
        try:
            return iam.policy_tags(arn) or ()
        except AwsError as error:
            element_error(error)
            return None

    with workers(_AT_ONCE) as pool:
        answers = pool.each(ask, arns, "policy tags", no_progress)
    return {arn: tags for arn, tags in zip(arns, answers, strict=True) if tags is not None}
