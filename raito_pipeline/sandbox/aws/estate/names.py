"""The names of the estate, the same each time."""

from typing import Final

TEAMS: Final = ("sales", "marketing", "finance", "logistics", "research", "support", "security", "platform")
DUTIES: Final = ("analyst", "engineer", "steward", "lead", "reviewer")
PURPOSES: Final = (
    "sales", "reports", "raw", "landing", "archive", "features", "weblogs", "exports", "backups", "images", "partners",
)  # fmt: skip
LOGS: Final = "cloudtrail"


def user_names(count: int) -> tuple[str, ...]:
    """IAM users: people by team and duty, every tenth a machine."""
    return tuple(_user(number) for number in range(count))


def _user(number: int) -> str:
    team = TEAMS[number % len(TEAMS)]
    if number % 10 == 9:
        return f"svc-{team}-{number:02}"
    return f"{team}.{DUTIES[number % len(DUTIES)]}{number:02}"


def people_names(count: int) -> tuple[str, ...]:
    """Users of Identity Center, as they sign in."""
    return tuple(f"{DUTIES[number % len(DUTIES)]}.{number:03}@example.com" for number in range(count))


def group_names(count: int) -> tuple[str, ...]:
    """IAM groups."""
    return tuple(f"{TEAMS[number % len(TEAMS)]}-{number // len(TEAMS) or 'team'}" for number in range(count))


def organization_group_names(count: int) -> tuple[str, ...]:
    """Groups of Identity Center."""
    return tuple(
        f"AWS {TEAMS[number % len(TEAMS)].title()} {'ABCDEFG'[number // len(TEAMS)]}" for number in range(count)
    )


def bucket_names(account: str) -> tuple[str, ...]:
    """The buckets with data of an account."""
    return tuple(f"{account}-{purpose}" for purpose in PURPOSES)
