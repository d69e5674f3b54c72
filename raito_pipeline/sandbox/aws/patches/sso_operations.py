"""What Identity Center does after it has answered: assignments and provisionings that stay IN_PROGRESS for a while.

Meanwhile AWS refuses other changes of the same permission set with ConflictException, and asks to try again.
https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html
https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_AccountAssignmentOperationStatus.html
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.moto_api._internal import mock_random
from moto.ssoadmin.exceptions import ResourceNotFoundException
from moto.ssoadmin.models import SSOAdminBackend

from raito_pipeline.sandbox.aws.pace import current_pace
from raito_pipeline.sandbox.aws.patches.sso_roles import ProvisioningFailed

IN_PROGRESS, SUCCEEDED, FAILED = "IN_PROGRESS", "SUCCEEDED", "FAILED"


@dataclass
class _Operation:
    """One request under way: `accounts` it concerns, `status` as AWS describes it, `carry_out` what it then does."""

    permission_set_arn: str
    accounts: frozenset[str]
    status: dict[str, Any]
    ready_at: float
    seed: int
    carry_out: Callable[[float], None]


_under_way: list[_Operation] = []
_lock = threading.Lock()


def begin(
    sso: SSOAdminBackend,
    status: dict[str, Any],
    accounts: frozenset[str],
    carry_out: Callable[[float], None],
) -> dict[str, Any]:
    """Begin an operation; gives its status (IN_PROGRESS). `status` has RequestId and PermissionSetArn.

    `carry_out` gets the time (of `time.monotonic`) at which AWS had done it; ProvisioningFailed makes it FAILED.
    """
    status["Status"] = IN_PROGRESS
    answer = dict(status)
    _statuses(sso)[status["RequestId"]] = status
    seconds = current_pace().provisioning_seconds
    seed = mock_random.getrandbits(63)
    operation = _Operation(status["PermissionSetArn"], accounts, status, time.monotonic() + seconds, seed, carry_out)
    if seconds > 0:
        with _lock:
            _under_way.append(operation)
    else:
        _end(operation)
    return answer


def outcome(sso: SSOAdminBackend, request_id: str) -> dict[str, Any]:
    """The status of a request, as AWS describes it."""
    if request_id not in _statuses(sso):
        raise ResourceNotFoundException(f"Request {request_id} not found")
    return _statuses(sso)[request_id]


def is_under_way(permission_set_arn: str, account_id: str | None = None) -> bool:
    """Whether something is under way for the permission set, in this account or (None) in any."""
    with _lock:
        return any(
            operation.permission_set_arn == permission_set_arn and account_id in (None, *operation.accounts)
            for operation in _under_way
        )


def settle() -> bool:
    """Carry out what has been under way long enough; gives whether there was any. Call it before each request."""
    with _lock:
        now = time.monotonic()
        due = [operation for operation in _under_way if operation.ready_at <= now]
        for operation in due:
            _under_way.remove(operation)
    for operation in due:
        _end(operation)
    return bool(due)


def forget_operations() -> None:
    """Nothing is under way any more, as when the emulated AWS is emptied."""
    with _lock:
        _under_way.clear()


def _end(operation: _Operation) -> None:
    # Random ids are those of the request that began it, so that a replay of the journal makes the same ones.
    state = mock_random.getstate()
    mock_random.seed(operation.seed)
    try:
        operation.carry_out(operation.ready_at)
        operation.status["Status"] = SUCCEEDED
    except ProvisioningFailed as error:
        operation.status |= {"Status": FAILED, "FailureReason": str(error)}
    finally:
        mock_random.setstate(state)


def _statuses(sso: SSOAdminBackend) -> dict[str, dict[str, Any]]:
    # They live on the emulator's own object, so that they go when it is emptied.
    statuses: dict[str, dict[str, Any]] = vars(sso).setdefault("sandbox_statuses", {})
    return statuses
