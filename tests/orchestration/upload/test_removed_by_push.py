"""What a push took out of AWS is not imported any more."""

from dataclasses import replace
from datetime import UTC, datetime

from raito_pipeline.aws.push.inputs import note, versions
from raito_pipeline.model import AccessControl, PushResult
from raito_pipeline.orchestration.upload.removed_by_push import removed_by_push, still_there
from raito_pipeline.orchestration.upload.work import Work
from tests.model.test_schema import example_row
from tests.orchestration.upload.conftest import ACCOUNT, provider


def test_what_a_push_removed_is_not_imported_any_more_nor_named_by_others() -> None:
    rows = [provider("role:gone"), provider("policy:p", "role:gone", "role:kept"), provider("role:kept")]

    left = list(still_there(rows, frozenset({"role:gone"})))

    assert [(each.external_id, each.who_access_providers) for each in left] == [
        ("policy:p", ("role:kept",)),
        ("role:kept", None),
    ]


def pushed(work: Work, external_id: str | None) -> None:
    """A push of the access control `c`, which was `role:old`, made of what is stored now."""
    control = replace(example_row(AccessControl, null=True), id="c", external_id="role:old")
    result = replace(example_row(PushResult, null=True), access_control_id="c", external_id=external_id)
    work.store.write("access_controls", [control], ACCOUNT)
    work.store.write("iam_roles", [], ACCOUNT)
    work.store.write("access_push_results", [result], ACCOUNT, extra=note(versions(work.store, ACCOUNT)))


def test_what_a_push_deleted_or_renamed_is_gone_until_iam_is_read_again(work: Work) -> None:
    assert removed_by_push(work.store, ACCOUNT) == frozenset()

    pushed(work, "role:old")
    assert removed_by_push(work.store, ACCOUNT) == frozenset()
    for external_id in (None, "role:new"):
        pushed(work, external_id)
        assert removed_by_push(work.store, ACCOUNT) == {"role:old"}

    work.store.write("iam_roles", [], ACCOUNT, read_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert removed_by_push(work.store, ACCOUNT) == frozenset()
