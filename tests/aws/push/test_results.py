"""What a push says of each access control where nothing was changed for it, and a push in numbers."""

from dataclasses import replace

from raito_pipeline.aws.push.results import Summary, refused_results, refused_targets
from raito_pipeline.model import AccessControl, PushResult
from tests.model.test_schema import example_row

EXPORTED = replace(example_row(AccessControl, null=True), id="a", name="Readers", position=1)
CHANGED = replace(EXPORTED, id="b", position=0, type="aws_role", actual_name="readers", external_id="role:readers")
REASONS = ("IAM was not read whole",)


def test_each_access_control_is_refused_with_the_reasons_and_keeps_its_name() -> None:
    targets = refused_targets([EXPORTED, CHANGED], REASONS)

    assert [(each.access_control_id, each.type, each.actual_name) for each in targets] == [
        ("a", "", ""),
        ("b", "aws_role", "readers"),
    ]
    assert all(each.refused and each.errors == REASONS and each.external_id is None for each in targets)


def test_what_the_plan_refused_keeps_its_own_reasons() -> None:
    refused, partial = refused_targets([EXPORTED, CHANGED], ["no such user"])
    partial = replace(partial, refused=False)

    results = refused_results([EXPORTED, CHANGED], [refused, partial], ["the credentials are of another account"])

    assert [(each.access_control_id, each.errors) for each in results] == [
        ("b", ("no such user", "the credentials are of another account")),
        ("a", ("no such user",)),
    ]


def test_every_exported_access_control_gets_its_answer_and_what_it_has_in_aws_stays_its_own() -> None:
    (result,) = refused_results([CHANGED], [], REASONS)

    assert (result.external_id, result.actual_name, result.errors) == ("role:readers", "readers", REASONS)
    assert (result.changes_made, result.changes_failed) == (0, 0)


def test_a_push_in_numbers() -> None:
    done = replace(example_row(PushResult, null=True), changes_made=2, changes_failed=0, errors=())
    failed = replace(done, changes_made=1, changes_failed=3, errors=("x", "y"))

    assert Summary.of(iter([done, failed])) == Summary(controls=2, failed=1, changes_made=3, changes_failed=3)
    assert Summary.of([]) == Summary(0, 0, 0, 0)
