"""`raito-pipeline discover`: shows first, and writes where it is told to."""

import json
from collections.abc import Iterator

import pytest

from raito_pipeline.config import load
from tests.member_organization import MASTER, MemberOrganization, member_organization

from .conftest import Run


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemberOrganization]:
    with member_organization(tmp_path_factory.mktemp("discover"), 3) as made:
        yield made


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


def test_it_shows_first_and_writes_when_told(organization: MemberOrganization, run: Run) -> None:
    original = organization.configure("exclude-names: team-0002").read_text()

    status, out = run("discover")
    assert status == 0
    assert "3 new, 1 left out" in out
    assert "its name matches `exclude-names`" in out
    assert "`raito-pipeline discover --write` would make 3 targets" in out
    assert not organization.discovered.exists()

    status, out = run("discover", "--write")
    assert (status, "3 added, 0 marked" in out, "CreateDataSource 3" in out) == (0, True, True)
    text = organization.discovered.read_text()
    assert text.startswith("# The accounts of the organization")
    assert organization.file.read_text() == original, "a person's file stays"
    assert {target.account_id for target in load(organization.file).accounts} == {
        MASTER,
        "310000000000",
        "310000000001",
    }

    status, out = run("discover", "--write")
    assert (status, "added" in out, "3 known, 1 left out" in out) == (0, False, True)
    assert organization.discovered.read_text() == text


def test_json_says_the_same(organization: MemberOrganization, run: Run) -> None:
    organization.configure("names: team-0001")
    said = json.loads(run("discover", "--json")[1])
    assert {one["account_id"]: one["verdict"] for one in said["accounts"]}["310000000001"] == "new"
    assert said["written"] is None

    said = json.loads(run("discover", "--json", "--write")[1])
    assert said["written"] == {"added": ["310000000001"], "marked": []}


def test_a_person_is_asked_only_at_a_terminal(
    organization: MemberOrganization, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization.configure()
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    for answer, written in (("n", False), ("y", True)):
        monkeypatch.setattr("builtins.input", lambda answer=answer: answer)
        assert run("discover")[0] == 0
        assert organization.discovered.exists() is written


def test_what_stands_in_the_way_is_one_line(organization: MemberOrganization, run: Run) -> None:
    text = organization.configure().read_text()
    organization.file.write_text(text.replace(MASTER, "399999999999"))
    assert run("discover")[0] == 1
    organization.file.write_text(text[: text.index("  discover:")])
    assert run("discover")[0] == 1
