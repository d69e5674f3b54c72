"""Access points as they are imported: all that have a policy, less those that Raito made."""

from raito_pipeline.model import Tag

from .conftest import ACCOUNT, Told, allow

ARN = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint"


def statement(name: str) -> dict[str, object]:
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}
    return {**allow("s3:GetObject", f"{ARN}/{name}/object/*"), "Principal": who}


def test_what_raito_made_is_left_out_and_tags_of_others_are_kept() -> None:
    team = Tag("team", "sales")
    told = Told().point("theirs", statement("theirs"), tags=(team,))
    told.point("ours", statement("ours"), tags=(Tag("creator", "RAITO"), team)).point("empty", tags=(team,))
    made = {key: row for key, row in told.build().items() if key.startswith("accesspoint:")}
    assert set(made) == {f"accesspoint:{ARN}/theirs"}
    assert made[f"accesspoint:{ARN}/theirs"].tags == (team,)


def test_whose_access_point_it_is_tells_the_last_push_where_its_tags_could_not_be_read() -> None:
    told = Told()
    for name, tags in (("ours", None), ("theirs", None), ("read", ())):
        told.point(name, statement(name), tags=tags)
    told.pushed_ids = frozenset(f"accesspoint:{ARN}/{name}" for name in ("ours", "read"))
    assert [key for key in told.build() if key.startswith("accesspoint:")] == [
        f"accesspoint:{ARN}/read",
        f"accesspoint:{ARN}/theirs",
    ]
