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
