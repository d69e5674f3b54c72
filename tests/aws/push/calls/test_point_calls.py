"""The calls about access points, each on the emulated AWS."""

import json

from raito_pipeline.aws.push.calls.point_calls import Points
from tests.aws.push.conftest import ACCOUNT, World
from tests.aws.push.points import arrange, point_arn

NOBODY = f"arn:aws:iam::{ACCOUNT}:user/nobody"
ADA = f"arn:aws:iam::{ACCOUNT}:user/ada"


def policy(name: str, *principals: str) -> str:
    resource = f"{point_arn(name)}/object/*"
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "s3:GetObject"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": resource}]})


def test_principals_that_do_not_exist_are_left_out_and_named(world: World) -> None:
    there = arrange(world)
    there.create("sales")
    points = Points(there.world.clients, ACCOUNT, pauses=())

    assert points.put_policy(point_arn("sales"), policy("sales", ADA, NOBODY)) == (NOBODY,)
    assert there.policy("sales")["Statement"][0]["Principal"] == {"AWS": [ADA]}
    assert points.put_policy(point_arn("sales"), policy("sales", NOBODY)) == (NOBODY,)
    assert there.policy("sales") is None


def test_what_is_gone_is_none_and_is_removed_without_a_word(world: World) -> None:
    there = arrange(world)
    points, gone = Points(there.world.clients, ACCOUNT), point_arn("gone")
    assert points.bucket(gone) is points.tags(gone) is points.policy(gone) is None
    points.delete_policy(gone)
    points.delete(gone)
    assert points.bucket_policy("data") is None
    assert points.reserved_role("Analysts") is None
