"""Targets that are put into a file: every other byte of it stays, or the file is refused."""

import pytest
import yaml

from raito_pipeline.config.edit import NotEditable, with_closed, with_targets, without_accounts, write_text

ENTRY = {"name": "data", "aws-account-id": "012345678901", "aws-s3-enabled": True, "aws-regions": "eu-west-1,us-east-1"}
FORMS = {
    "indented": "a: 1\ntargets:\n  - name: one\n    x: 1\n",
    "not indented": "targets:\n- name: one\n  x: 1\n",
    "wide": "targets:\n    -   name: one\n        x: 1\n",
    "with comments": "# mine\ntargets:  # all\n  # first\n  - name: one # why\n    # more\n    x: 1\n  # at the end\n",
    "options behind": "targets:\n  - name: one\n    x: 1\n\n# of the pipeline\npipeline:\n  storage: data\n",
    "a list inside": "targets:\n  - name: one\n    regions:\n      - a\n      - b\nz: 2\n",
    "a text of lines": "targets:\n  - name: one\n    text: |\n      a\n      b\n\n# c\nz: 2\n",
    "without an end": "targets:\n  - name: one",
    "braces in an entry": "targets:\n  - {name: one, x: 1}\n",
    "empty": "a: 1\ntargets: []  # none\nb: 2\n",
    "null": "a: 1\ntargets:\nb: 2\n",
    "missing": "a: 1\n# end",
    "nothing": "",
    "Windows": "a: 1\r\ntargets:\r\n  - name: one\r\nb: 2\r\n",
    "merged": "x-all: &all\n  r: 1\ntargets:\n  - <<: *all\n    name: one\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_target_is_put_in_and_everything_else_stays(text: str) -> None:
    new = with_targets(text, [ENTRY, {**ENTRY, "name": "yes"}], "raito.yml")

    before, after = yaml.safe_load(text) or {}, yaml.safe_load(new)
    assert after.pop("targets") == [*(before.pop("targets", None) or []), ENTRY, {**ENTRY, "name": "yes"}]
    assert after == before
    kept = [line for line in text.splitlines() if "targets: []" not in line]
    rest = iter(new.splitlines())
    assert all(line in rest for line in kept), new
    assert ("\r\n" in new) == ("\r\n" in text)


@pytest.mark.parametrize("text", ["targets: [{name: one}]\n", "targets: *x\n", "- a\n", "a: [\n"])
def test_a_file_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(NotEditable, match=r"raito\.yml"):
        with_targets(text, [ENTRY], "raito.yml")


def test_an_account_that_closes_is_marked_once_and_unmarked_again() -> None:
    text = with_targets("# kept\n", [ENTRY, {**ENTRY, "name": "two", "aws-account-id": "111122223333"}], "f")

    closed = with_closed(text, {"012345678901": "2026-11-26"}, "f")
    assert closed.count("closed:") == 1
    assert yaml.safe_load(closed)["targets"][0]["closed"] == "2026-11-26"
    assert with_closed(closed, {"012345678901": "2026-11-26"}, "f") == closed
    assert with_closed(closed, {"012345678901": None}, "f") == text


def test_a_file_is_written_whole_and_keeps_its_permissions(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "raito.yml"
    path.write_text("old")
    path.chmod(0o640)
    (tmp_path / "link.yml").symlink_to(path)

    write_text(tmp_path / "link.yml", "new\r\n")

    assert path.read_bytes() == b"new\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.yml", "raito.yml"]


def test_entries_of_accounts_are_taken_out_whole() -> None:
    one, two = ENTRY, {**ENTRY, "name": "two", "aws-account-id": "111122223333"}
    text = with_targets("# kept\ntargets:\n  # first\n", [one, two], "f")

    left = without_accounts(text, {"012345678901"}, "f")
    assert yaml.safe_load(left) == {"targets": [two]}
    assert left.startswith("# kept\ntargets:\n")
    assert without_accounts(left, {"012345678901"}, "f") == left
    assert yaml.safe_load(without_accounts(left, {"111122223333"}, "f")) == {"targets": None}
