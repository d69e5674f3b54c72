"""Plans of an account as values, for tests of what is made of them."""

from datetime import UTC, datetime
from typing import Any

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl
from tests.aws.push.conftest import ACCOUNT

WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def account_plan(*controls: AccessControl, there: PushState, **more: Any) -> AccountPlan:
    """The plan of some access controls in an account."""
    made = plan_push(controls, there, PushOptions(), ACCESS_PROVIDER_TYPES.push)
    values: dict[str, Any] = {
        "account": ACCOUNT, "account_id": ACCOUNT, "target": "sales", "made_at": WHEN,
        "controls": controls, "targets": made.targets, "changes": made.changes,
        "made_of": {"iam_users": "run-1"}, "read_at": {"iam_users": WHEN, "access_controls": WHEN},
    }  # fmt: skip
    return AccountPlan(**{**values, **more})
