"""A malformed element of an export concerns itself: the others are read, and it says what is wrong with it."""

from pathlib import Path

import pytest

from raito_pipeline.raito.export import read_export


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("{id: a, who: [x]}", "(a).who: no mapping"),
        ("{id: a, who: {users: x}}", "users is no list of texts"),
        ("{id: a, deletedWho: 3}", "(a).deletedWho: no mapping"),
        ("{id: a, what: {}}", "what: no list"),
        ("{id: a, what: [{}]}", "names no data object"),
        ("{id: a, delete: 'yes please'}", "delete is neither true nor false"),
        ("{id: a, name: [x]}", "name is no text"),
        ("{id: a, owners: 3}", "owners is no list"),
        ("{id: a, owners: [x]}", "owners is no list"),
        ("{id: a}, {id: a, name: other}", "two access controls of the export have this id"),
        ("{id: a, name: [x]}, {id: a}, {id: a}", "two access controls of the export have this id"),
    ],
)
def test_it_says_what_is_wrong_and_the_others_are_read(tmp_path: Path, element: str, expected: str) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(f"accessProviders: [{element}, {{id: good, name: Good}}]")

    export = read_export(path)

    bad, good = export.controls
    assert (bad.id, good.id, good.unreadable) == ("a", "good", ())
    assert expected in "; ".join(bad.unreadable)
    assert export.whole


def test_what_names_the_object_is_kept_so_that_nobody_takes_it_for_an_orphan(tmp_path: Path) -> None:
    path = tmp_path / "export.yaml"
    path.write_text("accessProviders: [{id: a, name: A, type: aws_role, externalId: 'role:A', actualName: A, what: 3}]")
    (control,) = read_export(path).controls
    assert (control.name, control.type, control.external_id, control.actual_name) == ("A", "aws_role", "role:A", "A")


@pytest.mark.parametrize("element", ["3", "null", "{name: x}", "{id: ''}", "{id: [a]}"])
def test_without_an_id_there_is_a_warning_and_the_export_is_not_whole(tmp_path: Path, element: str) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(f"accessProviders: [{element}, {{id: good}}]")

    export = read_export(path)

    assert [control.id for control in export.controls] == ["good"]
    assert "accessProviders[0] of the export has no id" in export.warnings[0]
    assert not export.whole
