"""Access controls: defined here, exported, pushed elsewhere, and what the feedback makes of them."""

import json
from typing import Any

import pytest
import requests
import yaml

from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .wire import ACCOUNT, Wire

FIELDS = [
    "id", "name", "description", "namingHint", "type", "externalId", "action", "delete", "actualName", "who",
    "deletedWho", "what", "deleteWhat", "whoLocked", "inheritanceLocked", "whatLocked", "deleteLocked", "owners",
]  # fmt: skip


def control(identifier: str, **more: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "name": f"Control {identifier}",
        "type": "aws_role",
        "who": {"users": ["ann"]},
        "what": [{"dataObject": {"fullName": ACCOUNT, "type": "datasource"}, "permissions": ["s3:GetObject"]}],
        **more,
    }


def feedback(identifier: str, **more: Any) -> dict[str, Any]:
    access = {
        "accessId": identifier,
        "actualName": f"Name_{identifier}",
        "externalId": f"role:Name_{identifier}",
        "type": "aws_role",
        "errors": None,
        "warnings": None,
        **more,
    }
    return {"externalId": identifier, "access": [access]}


def exported(wire: Wire, source: str, *, only_out_of_sync: bool = False) -> dict[str, dict[str, Any]]:
    content = yaml.safe_load(wire.export(source, only_out_of_sync=only_out_of_sync).text)
    return {entry["id"]: entry for entry in content["accessProviders"]}


def states(wire: Wire, source: str) -> dict[str, str]:
    found = wire.ask(f'{{ accessControls(dataSource: "{source}") {{ id state }} }}')
    return {item["id"]: item["state"] for item in found}


def test_the_exported_file(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    cloud.define_access_control(source, control("b", owners=[{"email": "o@example.com"}]))
    cloud.define_access_control(source, control("a", who={"inheritFrom": ["ID:b"]}, whoLocked=True, type=None))

    response = wire.export(source)
    content = yaml.safe_load(response.text)

    assert response.status_code == 200
    assert list(content) == ["lastCalculated", "fileBuildTime", "accessProviders"]
    assert isinstance(content["lastCalculated"], int)
    assert [entry["id"] for entry in content["accessProviders"]] == ["b", "a"]
    first, second = content["accessProviders"]
    assert list(first) == FIELDS
    assert first["who"] == {"users": ["ann"], "groups": [], "inheritFrom": [], "recipients": []}
    assert (first["externalId"], first["actualName"], first["deletedWho"], first["delete"]) == (None, None, None, False)
    assert first["owners"] == [{"email": "o@example.com"}]
    assert (second["type"], second["whoLocked"], second["who"]["inheritFrom"]) == (None, True, ["ID:b"])


def test_a_data_source_without_any(wire: Wire, source: str) -> None:
    assert exported(wire, source) == {}


def test_the_address_of_the_file_is_signed(wire: Wire, source: str) -> None:
    address = wire.export(source).url

    assert requests.get(address.split("?")[0], timeout=60).status_code == 403
    assert requests.get(address, timeout=60).status_code == 200


def test_after_feedback_the_control_carries_its_names(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    cloud.define_access_control(source, control("a"))
    exported(wire, source)

    result = wire.result("feedback", source, [feedback("a")])

    assert result == {"accessNamesAdded": 1, "warnings": []}
    entry = exported(wire, source)["a"]
    assert (entry["actualName"], entry["externalId"]) == ("Name_a", "role:Name_a")
    assert states(wire, source) == {"a": "SYNCED"}
    assert wire.result("feedback", source, [feedback("a")])["accessNamesAdded"] == 0


def test_a_partial_export_holds_what_is_out_of_sync(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    for identifier in ("new", "failed", "changed", "synced"):
        cloud.define_access_control(source, control(identifier))
    exported(wire, source)
    answers = [feedback(name) for name in ("changed", "synced")] + [
        feedback("failed", errors=["no such user"], actualName="", externalId=None)
    ]
    wire.result("feedback", source, answers)
    cloud.define_access_control(source, control("changed", name="Another name"))

    assert set(exported(wire, source, only_out_of_sync=True)) == {"new", "failed", "changed"}
    assert set(exported(wire, source)) == {"new", "failed", "changed", "synced"}
    assert wire.counts()["dataSources"][source]["accessControls"] == {
        "NEW": 1,
        "FAILED": 1,
        "CHANGED": 1,
        "SYNCED": 1,
    }


def test_a_failure_keeps_the_names_of_before(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    cloud.define_access_control(source, control("a"))
    exported(wire, source)
    wire.result("feedback", source, [feedback("a")])

    wire.result("feedback", source, [feedback("a", errors=["denied"], actualName="", externalId=None)])

    (found,) = wire.ask(f'{{ accessControls(dataSource: "{source}") {{ state errors actualName externalId }} }}')
    assert found == {"state": "FAILED", "errors": ["denied"], "actualName": "Name_a", "externalId": "role:Name_a"}


def test_warnings_are_kept(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    cloud.define_access_control(source, control("a"))

    wire.result("feedback", source, [feedback("a", warnings=["it differs"])])

    assert wire.ask(f'{{ accessControls(dataSource: "{source}") {{ state warnings }} }}') == [
        {"state": "SYNCED", "warnings": ["it differs"]}
    ]


def test_a_deleted_control_disappears_once_it_is_gone(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    definition = control("a", delete=True, externalId="role:Old", actualName="Old")
    cloud.define_access_control(source, definition)
    entry = exported(wire, source)["a"]
    assert (entry["delete"], entry["externalId"], entry["actualName"]) == (True, "role:Old", "Old")

    wire.result("feedback", source, [feedback("a", errors=["denied"])])
    assert set(exported(wire, source)) == {"a"}
    wire.result("feedback", source, [feedback("a", actualName="", externalId=None)])

    assert exported(wire, source) == {}
    cloud.define_access_control(source, definition)
    assert exported(wire, source) == {}
    assert states(wire, source) == {"a": "REMOVED"}


def test_who_and_what_were_taken_away_is_told(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    other = {"dataObject": {"fullName": "other", "type": "bucket"}, "permissions": ["s3:ListBucket"]}
    first = control("a", who={"users": ["ann", "bob"], "groups": ["team"]})
    cloud.define_access_control(source, {**first, "what": [*first["what"], other]})
    exported(wire, source)
    wire.result("feedback", source, [feedback("a")])

    cloud.define_access_control(source, control("a", who={"users": ["bob"]}))

    entry = exported(wire, source)["a"]
    assert entry["deletedWho"] == {"users": ["ann"], "groups": ["team"], "inheritFrom": [], "recipients": []}
    assert entry["deleteWhat"] == [other]
    wire.result("feedback", source, [feedback("a")])
    assert exported(wire, source)["a"]["deletedWho"] is None


def test_a_change_during_a_push_stays_out_of_sync(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    cloud.define_access_control(source, control("a"))
    exported(wire, source)
    cloud.define_access_control(source, control("a", who={"users": ["bob"]}))

    wire.result("feedback", source, [feedback("a")])

    assert states(wire, source) == {"a": "CHANGED"}


def test_the_same_definition_again_changes_nothing(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    definition = control("a", what=(), owners=({"email": "x"},))
    cloud.define_access_control(source, definition)
    exported(wire, source)
    wire.result("feedback", source, [feedback("a")])

    cloud.define_access_control(source, definition)

    assert states(wire, source) == {"a": "SYNCED"}


def test_feedback_on_something_unknown_is_a_warning(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    cloud.define_access_control(source, control("a"))

    result = wire.result("feedback", source, [feedback("ghost"), feedback("a")])

    assert result == {"accessNamesAdded": 1, "warnings": ["access control 'ghost' does not exist"]}


WRONG: list[tuple[str, Any, str]] = [
    ("another field", [{**feedback("a"), "state": []}], "unknown field `state`"),
    ("another field in access", [feedback("a", actualState={})], "unknown field `actualState`"),
    ("another access id", [feedback("a", accessId="b")], "feedback on a: accessId 'b' is another one"),
    ("errors as text", [feedback("a", errors="denied")], "Expected `array | null`"),
    ("no array", {}, "is not a JSON array"),
]


@pytest.mark.parametrize(("content", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_feedback_file_changes_nothing(
    wire: Wire, cloud: LocalRaitoCloud, source: str, content: Any, message: str
) -> None:
    cloud.define_access_control(source, control("a"))

    failed = wire.imported("feedback", source, content)

    assert failed["status"] == "FAILED"
    assert message in failed["errors"][0]
    assert states(wire, source) == {"a": "NEW"}


def test_defining_over_http(wire: Wire, source: str) -> None:
    address = f"{wire.url}/sandbox-api/access-controls/{source}"

    assert requests.post(address, json=control("a"), timeout=60).json() == {"ids": ["a"]}
    assert requests.post(address, json=[control("b"), control("c")], timeout=60).status_code == 201
    assert set(exported(wire, source)) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("definition", "status"),
    [
        ({"name": "no id"}, 400),
        ({"id": "a"}, 400),
        (control("a", nonsense=1), 400),
        (control("a", what=[{"permissions": []}]), 400),
        ("text", 400),
    ],
)
def test_a_definition_that_cannot_be(wire: Wire, source: str, definition: Any, status: int) -> None:
    response = requests.post(f"{wire.url}/sandbox-api/access-controls/{source}", json=definition, timeout=60)

    assert response.status_code == status
    assert exported(wire, source) == {}


def test_a_definition_for_an_unknown_data_source(wire: Wire) -> None:
    response = requests.post(f"{wire.url}/sandbox-api/access-controls/nowhere", json=control("a"), timeout=60)

    assert response.status_code == 404


def test_the_record_of_a_control_is_its_entry_in_the_file(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    cloud.define_access_control(source, control("a"))

    (found,) = wire.ask(f'{{ accessControls(dataSource: "{source}") {{ record outOfSync type }} }}')

    assert json.loads(found["record"]) == exported(wire, source)["a"]
    assert (found["outOfSync"], found["type"]) == (True, "aws_role")
