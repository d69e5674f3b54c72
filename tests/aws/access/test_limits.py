"""What limits a principal beside the policy that gives: every source counts, for whatever gives it something."""

import pytest

from .conftest import ACCOUNT, READ, Told, allow, deny, document, trust, user_arn, what

READ_AND_WRITE = document(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::data/*"))
NO_WRITE = document(deny("s3:PutObject", "*"))
GIVEN_BY = {
    "a managed policy": ("policy:p", Told().user("ada").policy("p", READ_AND_WRITE, "user:ada"), "user:ada"),
    "an inline policy": ("user:ada|inline:p|", Told().user("ada").inline("user:ada", "p", READ_AND_WRITE), "user:ada"),
    "a role": ("role:r", Told().role("r", trust({"AWS": "*"})).inline("role:r", "p", READ_AND_WRITE), "role:r"),
    "an access point": (
        None,
        Told().user("ada").point("o", {
            "Effect": "Allow",
            "Principal": {"AWS": user_arn("ada")},
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/o/object/*",
        }),
        "user:ada",
    ),
}  # fmt: skip


@pytest.mark.parametrize("giver", GIVEN_BY)
def test_a_deny_elsewhere_counts_whatever_gives_the_access(giver: str) -> None:
    external_id, told, principal = GIVEN_BY[giver]
    rows = told.policy("no", NO_WRITE, principal).build()
    row = next(row for name, row in rows.items() if name == external_id or (external_id is None and "point" in name))

    assert {name for names in what(row).values() for name in names} == {"s3:GetObject"}


def test_the_deny_of_a_group_counts_for_its_members_only() -> None:
    told = Told().user("ada", "g").user("bob").group("g").inline("group:g", "no", NO_WRITE)
    told.inline("user:ada", "own", READ_AND_WRITE).inline("user:bob", "own", READ_AND_WRITE)
    rows = told.build()

    given = {name: {each for names in what(row).values() for each in names} for name, row in rows.items()}
    assert given["user:ada|inline:own|"] == {"s3:GetObject"}
    assert given["user:bob|inline:own|"] == {"s3:GetObject", "s3:PutObject"}


def test_a_boundary_is_a_reason_wherever_access_is_given() -> None:
    told = Told().user("ada", boundary="arn:b").policy("p", READ, "user:ada").inline("user:ada", "own", READ)
    rows = told.build()

    assert {row.reasons_wider for row in rows.values()} == {
        ("user ada has a permissions boundary, which may allow less",)
    }
