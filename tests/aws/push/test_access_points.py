"""Access points as they are pushed: the place, the who, the what, and what of an existing one stays."""

import pytest

from .conftest import ACCOUNT, BY_RAITO, World
from .points import THERE, PointWorld, arrange, exported, item, point_arn, point_control, who

ADA, BOB = f"arn:aws:iam::{ACCOUNT}:user/ada", f"arn:aws:iam::{ACCOUNT}:user/bob"
CYD = f"arn:aws:iam::{ACCOUNT}:user/people/cyd"
READER = f"arn:aws:iam::{ACCOUNT}:role/data/reader"


@pytest.fixture
def there(world: World) -> PointWorld:
    return arrange(world)


def allow(principals: list[str], actions: list[str], resources: list[str], **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": actions, "Resource": resources} | more


def test_a_new_access_point_gives_what_was_granted_and_a_second_push_changes_nothing(there: PointWorld) -> None:
    control = point_control("p", name="Sales EU", who=who("ada", groups=["staff"], inherit=["role:reader"]))

    pushed = there.push(control)

    arn = point_arn("sales-eu")
    assert pushed.steps() == [("create", "access-point", "sales-eu"), ("create", "access-point-policy", "sales-eu")]
    result = pushed.results["p"]
    assert (result.actual_name, result.external_id, result.errors) == ("sales-eu", f"accesspoint:{arn}", ())
    assert there.policy("sales-eu")["Statement"] == [
        allow([READER, ADA, BOB, CYD], ["s3:GetObject"], [f"{arn}/object/eu/*"])
    ]
    assert there.tags("sales-eu") == BY_RAITO
    mark = there.world.aws.calls.mark
    again = there.push(exported(control, result))
    assert again.steps() == [("none", "access-point", "sales-eu")]
    assert there.world.writes(mark) == []
    assert again.results["p"].external_id == result.external_id


def test_the_grantee_reads_through_the_point_what_was_granted_and_nothing_beside_and_nothing_afterwards(
    there: PointWorld,
) -> None:
    there.delegate()
    arn = point_arn("p-point")
    control = point_control("p", naming_hint="p point")
    pushed = there.push(control)
    assert pushed.errors() == pushed.warnings() == ()
    assert there.reads("ada", arn, "eu/1", "eu/2", "us/1") == ["eu/1", "eu/2"]
    assert there.reads("bob", arn, "eu/1") == []
    assert there.reads("ada", "data", "eu/1") == []
    control = exported(control, pushed.results["p"], who=who("bob"))
    pushed = there.push(control)
    assert pushed.errors() == ()
    assert (there.reads("ada", arn, "eu/1"), there.reads("bob", arn, "eu/1")) == ([], ["eu/1"])
    there.push(exported(control, pushed.results["p"], who=who()))
    assert there.reads("bob", arn, "eu/1") == []
    assert there.names() == ["p-point"]


def test_an_access_point_is_deleted_and_one_that_is_gone_is_a_success(there: PointWorld) -> None:
    pushed = there.push(point_control("sales"))
    control = exported(point_control("sales"), pushed.results["sales"], delete=True)

    deleted = there.push(control)

    assert deleted.steps() == [("delete", "access-point", "sales")]
    assert there.names() == []
    for _ in range(2):
        again = there.push(control)
        result = again.results["sales"]
        assert (again.steps(), result.actual_name, result.external_id, result.errors) == (
            [("none", "access-point", "sales")],
            "",
            None,
            (),
        )


def test_a_bucket_in_another_region_has_its_access_point_there(there: PointWorld) -> None:
    pushed = there.push(point_control("sales", what=(item("far/a", region=THERE),)))

    assert pushed.results["sales"].external_id == f"accesspoint:{point_arn('sales', THERE)}"
    assert there.names(THERE) == ["sales"]


REFUSED_WHATS = [
    (
        (item("data/a"), item("far/a", region=THERE)),
        "an access point opens one bucket, and its what is in 2: data, far",
    ),
    ((), "its what names no bucket"),
    ((item("nowhere/a"),), "bucket nowhere is not among the buckets"),
    ((item("*"),), "wildcards are not expanded"),
    ((item("data/a", "s3:GetBucketLocation"),), "access points do not know it"),
    ((item("data/a", "s3:Nonsense"),), "permission s3:Nonsense on"),
]


def test_what_is_not_in_one_known_bucket_makes_nothing(there: PointWorld) -> None:
    mark = there.world.aws.calls.mark
    pushed = there.push(*(point_control(f"p-{n}", what=what) for n, (what, _) in enumerate(REFUSED_WHATS)))
    for number, (_, reason) in enumerate(REFUSED_WHATS):
        result = pushed.results[f"p-{number}"]
        assert any(reason in error for error in result.errors), result.errors
        assert (result.actual_name, result.external_id) == ("", None)
    assert there.world.writes(mark) == []
