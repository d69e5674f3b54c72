"""How long the emulated AWS takes for what it does after it has answered.

AWS answers CreateAccountAssignment, DeleteAccountAssignment and ProvisionPermissionSet at once and works on; and a role
that was made just now is not yet known to the services that check principals of policies, which takes AWS seconds.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html ("Changes that I make are not always immediately
visible")
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Seconds from a call until it has its effect; 0 means at once. What is seeded in-process is always at once."""

    provisioning_seconds: float = 0.2
    """how long assignments and provisionings of Identity Center are IN_PROGRESS"""
    new_role_seconds: float = 0.3
    """how long a new role is no valid principal of a trust, bucket or access point policy"""


_pace = Pace()


def set_pace(pace: Pace) -> None:
    """From now on the emulated AWS takes so long."""
    global _pace
    _pace = pace


def current_pace() -> Pace:
    """How long the emulated AWS takes now."""
    return _pace


@contextmanager
def instantly() -> Iterator[None]:
    """Inside, everything has its effect at once, as when changes of the journal are made again."""
    before = _pace
    set_pace(Pace(0.0, 0.0))
    try:
        yield
    finally:
        set_pace(before)
