"""Import of usage: each statement once, failures counted, and the window that follows from it."""

from typing import Any

import pytest

from .wire import BUCKET, Wire, small_tree, statement

NAMES = ("statementsAdded", "statementsFailed", "statementsSkipped", "edgesCreatedOrUpdated", "edgesRemoved")


@pytest.fixture
def filled(wire: Wire, source: str) -> str:
    wire.result("data-objects", source, small_tree())
    return source


def counted(result: dict[str, Any], added: int = 0, failed: int = 0, skipped: int = 0, edges: int = 0) -> bool:
    return [result[name] for name in NAMES] == [added, failed, skipped, edges, 0]


def window(wire: Wire, source: str) -> tuple[str, str]:
    found = wire.ask(f'{{ dataSource(id: "{source}") {{ ... on DataSource {{ usageFirstUsed usageLastUsed }} }} }}')
    return found["usageFirstUsed"], found["usageLastUsed"]


def test_statements_arrive(wire: Wire, filled: str) -> None:
    result = wire.result("usage", filled, [statement(1), statement(2, f"{BUCKET}/a/two.csv", user="bob", role="r")])

    assert counted(result, added=2, edges=2)
    assert result["warnings"] == []
    found = wire.ask(
        f'{{ usage(dataSource: "{filled}", user: "bob") {{ total items {{ externalId user role success startTime bytes'
        " accessedDataObjects { dataObject { fullName type } permissions globalPermission } } } }"
    )
    assert found["total"] == 1
    assert found["items"][0] == {
        "externalId": "event-2",
        "user": "bob",
        "role": "r",
        "success": True,
        "startTime": "2026-11-18T11:06:42Z",
        "bytes": 1234,
        "accessedDataObjects": [
            {
                "dataObject": {"fullName": f"{BUCKET}/a/two.csv", "type": "file"},
                "permissions": ["s3:GetObject"],
                "globalPermission": "read",
            }
        ],
    }


def test_several_files_are_one_import(wire: Wire, filled: str) -> None:
    assert counted(wire.result("usage", filled, [statement(1)], [statement(2)], [], [statement(3)]), added=3, edges=1)


def test_a_known_statement_is_skipped(wire: Wire, filled: str) -> None:
    wire.result("usage", filled, [statement(1), statement(2)])

    again = wire.result("usage", filled, [statement(1), statement(2)])
    more = wire.result("usage", filled, [statement(2), statement(3), statement(3)])

    assert counted(again, skipped=2)
    assert counted(more, added=1, skipped=2, edges=1)
    assert wire.counts()["dataSources"][filled]["usageStatements"] == 3


def test_a_known_statement_is_skipped_even_when_its_object_has_gone(wire: Wire, filled: str) -> None:
    wire.result("usage", filled, [statement(1)])
    wire.result("data-objects", filled, small_tree()[:2])

    assert counted(wire.result("usage", filled, [statement(1)]), skipped=1)


def test_a_statement_on_nothing_that_is_known_fails(wire: Wire, filled: str) -> None:
    result = wire.result("usage", filled, [statement(1), statement(2, "ghost"), statement(3, accessedDataObjects=None)])

    assert counted(result, added=1, failed=2, edges=1)
    assert result["warnings"] == [
        "statement event-2: no data object of it is known (ghost)",
        "statement event-3: no data object of it is known (none)",
    ]


def test_the_objects_of_a_statement_that_are_known_are_kept(wire: Wire, filled: str) -> None:
    both = statement(1)["accessedDataObjects"] + statement(1, "ghost")["accessedDataObjects"]

    result = wire.result("usage", filled, [statement(1, accessedDataObjects=both)])

    assert counted(result, added=1, edges=1)
    assert result["warnings"] == ["statement event-1: some of its data objects are not known"]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("no start", {"startTime": 0}),
    ("a start that is no number", {"startTime": "yesterday"}),
    ("no external id", {"externalId": ""}),
    ("bytes that are no number", {"bytes": "many"}),
]


@pytest.mark.parametrize("change", [case[1] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_statement_loses_nothing_else(wire: Wire, filled: str, change: dict[str, Any]) -> None:
    result = wire.result("usage", filled, [statement(1), {**statement(2), **change}, statement(3)])

    assert counted(result, added=2, failed=1, edges=1)
    assert len(result["warnings"]) == 1


def test_a_file_that_is_no_json_changes_nothing(wire: Wire, filled: str) -> None:
    failed = wire.imported("usage", filled, [statement(1)], b'[{"externalId": "x"')

    assert failed["status"] == "FAILED"
    assert wire.counts()["dataSources"][filled]["usageStatements"] == 0
    assert window(wire, filled) == ("", "")


def test_the_window_grows_and_never_shrinks(wire: Wire, filled: str) -> None:
    wire.result("usage", filled, [statement(5), statement(9)])
    first = window(wire, filled)

    wire.result("usage", filled, [statement(7)])
    same = window(wire, filled)
    wire.result("usage", filled, [statement(2), statement(10), statement(11, "ghost")])

    assert first == same == ("2026-11-18T11:06:45Z", "2026-11-18T11:06:49Z")
    assert window(wire, filled) == ("2026-11-18T11:06:42Z", "2026-11-18T11:06:50Z")


def test_an_import_of_nothing(wire: Wire, filled: str) -> None:
    assert counted(wire.result("usage", filled))
    assert counted(wire.result("usage", filled, []))
    assert window(wire, filled) == ("", "")


def test_a_failed_call_is_kept_as_such(wire: Wire, filled: str) -> None:
    wire.result("usage", filled, [statement(1, success=False, status="403", error="AccessDenied")])

    found = wire.ask(f'{{ usage(dataSource: "{filled}") {{ items {{ success status error }} }} }}')
    assert found["items"] == [{"success": False, "status": "403", "error": "AccessDenied"}]


def test_many_statements(wire: Wire, filled: str) -> None:
    statements = [statement(number, user=f"user{number % 7}") for number in range(12_000)]

    assert counted(wire.result("usage", filled, statements), added=12_000, edges=7)
    assert counted(wire.result("usage", filled, statements), skipped=12_000)
