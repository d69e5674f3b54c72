"""What a push notes of what it left, for the next look at AWS."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from raito_pipeline.model import PushResult
from raito_pipeline.orchestration.push.last_push import LastPush, UnreadableNote, last_push, note_begun, note_push
from raito_pipeline.storage import Store
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.exported import control


def result(identifier: str, external_id: str | None, *errors: str) -> PushResult:
    name = (external_id or "").rpartition(":")[2]
    return PushResult(identifier, identifier, "aws_role", name, external_id, int(not errors), len(errors), errors, ())


def test_what_was_made_is_noted_under_the_name_that_it_has() -> None:
    controls = [control("made"), control("failed"), control("gone", delete=True), control("unhandled")]
    results = [result("made", "role:made_1"), result("failed", None, "denied"), result("gone", None)]

    noted = LastPush.of("p1", controls, results, None)

    assert [(each.id, each.external_id, each.actual_name) for each in noted.controls] == [
        ("made", "role:made_1", "made_1")
    ]


def test_of_what_failed_the_push_before_counts() -> None:
    before = LastPush(datetime.now(UTC), "p0", (replace(control("failed"), external_id="role:old"), control("removed")))
    controls = [control("failed"), control("removed", delete=True)]
    results = [result("failed", "role:old", "denied"), result("removed", "role:removed", "denied")]
    assert LastPush.of("p1", controls, results, before).controls == before.controls[:1]


def test_of_what_was_changed_in_part_nobody_says_how_it_was_left() -> None:
    """Who lost access was taken out, say, and the rest was refused: what the push before had made is no more."""
    before = LastPush(datetime.now(UTC), "p0", (replace(control("part"), external_id="role:old"),))
    results = [replace(result("part", "role:old", "its action is no grant"), changes_made=1)]

    noted = LastPush.of("p1", [control("part", action="deny")], results, before)

    assert noted.controls == ()


def test_a_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert last_push(store, ACCOUNT) is None
    noted = LastPush.of("p1", [control("made")], [result("made", "role:made")], None)
    for _ in range(2):
        note_push(store, ACCOUNT, noted)
    assert last_push(store, ACCOUNT) == noted
    (file,) = tmp_path.rglob("last_push.json")
    file.write_text('{"of": "another version"}')
    note = last_push(store, ACCOUNT)
    assert isinstance(note, UnreadableNote)
    assert "cannot be read" in note.reason


def test_of_what_a_lost_note_said_nothing_is_known_until_it_was_made_again() -> None:
    controls = [control("made"), control("failed"), control("gone", delete=True)]
    results = [result("made", "role:made"), result("failed", None, "denied"), result("gone", None)]

    first = LastPush.of("p1", controls, results, LastPush.lost(controls))
    some = LastPush.of("p2", controls[:1], results[:1], first, whole=False)
    then = LastPush.of("p3", controls[:2], [results[0], result("failed", "role:failed")], some)

    assert [([each.id for each in one.controls], one.unknown) for one in (first, some, then)] == [
        (["made"], ("failed",)), (["made"], ("failed",)), (["made", "failed"], ()),
    ]  # fmt: skip


def test_a_push_of_some_leaves_the_others_as_the_push_before_left_them() -> None:
    before = LastPush(datetime.now(UTC), "p0", tuple(map(control, ("other", "changed", "removed"))))
    controls = [control("changed"), control("removed", delete=True), control("new")]
    results = [result("changed", "role:changed_2"), result("removed", None), result("new", "role:new")]

    noted = LastPush.of("p1", controls, results, before, whole=False)

    assert [each.id for each in noted.controls] == ["other", "changed", "new"]
    assert noted.controls[1].external_id == "role:changed_2"
    assert [each.id for each in LastPush.of("p1", controls, results, before).controls] == ["changed", "new"]


def test_access_points_that_were_begun_are_remembered_until_their_region_was_read_since(tmp_path: Path) -> None:
    """Also by a push that ends well, as the killed one before it was of others."""
    store = Store.open(tmp_path)
    arns = [f"arn:aws:s3:{region}:{ACCOUNT}:accesspoint/p" for region in ("eu-west-1", "us-east-1")]
    store.write("access_points", (), ACCOUNT, "eu-west-1")
    note_push(store, ACCOUNT, LastPush.of("p1", [control("made")], [result("made", "role:made")], None))

    def begun() -> list[str]:
        last = last_push(store, ACCOUNT)
        assert isinstance(last, LastPush)
        assert [each.id for each in last.controls] == ["made"]
        return [each.arn for each in last.unread(store, ACCOUNT)]

    note_begun(store, ACCOUNT, [])
    assert begun() == []
    note_begun(store, ACCOUNT, arns[:1])
    note_begun(store, ACCOUNT, arns[1:])
    assert begun() == arns
    before = last_push(store, ACCOUNT)
    assert isinstance(before, LastPush)
    note_push(store, ACCOUNT, LastPush.of("p2", [], [], before, whole=False))
    assert begun() == arns
    store.write("access_points", (), ACCOUNT, "us-east-1")
    assert begun() == arns[:1]
