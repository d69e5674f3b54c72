"""The export of access controls: asked for, downloaded, read; and what is wrong with a file is said."""

import json
import logging
from pathlib import Path

import pytest
import yaml

from raito_pipeline.model import AccessControl
from raito_pipeline.model.schema import to_batch
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import AddressEnded, ExportUnreadable, RaitoRefused
from raito_pipeline.raito.export import export_access_controls, read_export
from raito_pipeline.raito.imports import (
    finish,
    start_data_source_import,
)
from raito_pipeline.raito.jobs import (
    Job,
    JobType,
)
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .conftest import SECRET, Answer, ScriptedServer, connection_to
from .small_target import (
    QUICK,
    Target,
    objects_file,
)


def test_only_what_is_out_of_sync(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    cloud.define_access_control(target.source, {"id": "ac-1", "name": "One"})
    task = target.job().task(JobType.DATA_ACCESS)
    everything = export_access_controls(task, tmp_path, polling=QUICK)
    assert [control.name for control in everything.controls] == ["One"]
    export_access_controls(task, tmp_path, out_of_sync_only=True, polling=QUICK)
    filters = [
        entry["variables"]["filter"]
        for entry in cloud.log
        if entry.get("operationName") == "ExportAccessProvidersRequest"
    ]
    assert filters == [{}, {"status": {"outOfSync": True}}]


def test_a_download_address_that_ended_is_asked_for_again(scripted_login: ScriptedServer, tmp_path: Path) -> None:
    begun = {"data": {"exportAccessProvidersRequest": {"subtask": {"status": "QUEUED", "subtaskId": "s"}}}}
    looks = [
        {"data": {"jobSubtask": {"status": "COMPLETED", "result": {"fileLocation": f"{scripted_login.url}/{name}"}}}}
        for name in ("old", "new")
    ]
    ended = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    scripted_login.on("POST", "/query", Answer(begun), *map(Answer, looks))
    scripted_login.on("GET", "/old", Answer(ended, 403))
    scripted_login.on("GET", "/new", Answer({"accessProviders": []}))
    with RaitoClient(connection_to(scripted_login.url)) as client:
        task = Job(client, "j", "source", None).task(JobType.DATA_ACCESS)
        assert export_access_controls(task, tmp_path, polling=QUICK).whole
        scripted_login.on("POST", "/query", Answer(begun), Answer(looks[0]))
        with pytest.raises(AddressEnded, match="had ended"):
            export_access_controls(task, tmp_path, polling=QUICK)


@pytest.mark.parametrize("errors", [None, ["one was left out"]])
def test_an_export_with_errors_does_not_say_that_nobody_grants_what_it_lacks(
    scripted_login: ScriptedServer, tmp_path: Path, errors: list[str] | None
) -> None:
    begun = {"data": {"exportAccessProvidersRequest": {"subtask": {"status": "QUEUED", "subtaskId": "s"}}}}
    result = {"fileLocation": f"{scripted_login.url}/file"}
    ended = {"data": {"jobSubtask": {"status": "COMPLETED", "result": result, "errors": errors}}}
    scripted_login.on("POST", "/query", Answer(begun), Answer(ended))
    scripted_login.on("GET", "/file", Answer({"accessProviders": []}))
    with RaitoClient(connection_to(scripted_login.url)) as client:
        task = Job(client, "j", "source", None).task(JobType.DATA_ACCESS)
        exported = export_access_controls(task, tmp_path, polling=QUICK)
    assert exported.warnings == tuple(errors or ())
    assert exported.whole == (errors is None)
    assert exported.problems == tuple(f"Raito Cloud: {error}" for error in errors or ())


def test_a_download_that_fails(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    task = target.job().task(JobType.DATA_ACCESS)
    cloud.add_fault(CloudFault(on="download", times=2, status=500))
    assert export_access_controls(task, tmp_path, polling=QUICK).controls == ()
    cloud.add_fault(CloudFault(on="download", times=2, drop=True))
    assert export_access_controls(task, tmp_path, polling=QUICK).controls == ()
    cloud.add_fault(CloudFault(on="download", times=9, status=404))
    with pytest.raises(RaitoRefused, match=r"download of http://.*yaml") as caught:
        export_access_controls(task, tmp_path, polling=QUICK)
    assert "Signature" not in str(caught.value)


EXPORT = """
lastCalculated: 1795468319
fileBuildTime: 1795468320000
accessProviders:
- id: ap-1
  name: Sales
  description: null
  namingHint: sales
  type: aws_policy
  externalId: policy:sales
  action: grant
  delete: false
  actualName: sales
  who: {users: [ann], groups: null, inheritFrom: ['role:x', 'ID:ap-2']}
  deletedWho: {users: [bob]}
  what:
  - dataObject: {fullName: '111122223333:eu-central-1:b', type: bucket}
    permissions: [s3:GetObject]
  deleteWhat: null
  whoLocked: true
  owners: [{email: o@example.com, accountName: '', groupName: null}]
- {id: ap-2, name: 123, delete: true}
"""


def test_an_exported_file(tmp_path: Path) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(EXPORT)
    export = read_export(path)
    first, second = export.controls
    assert (first.position, first.type, first.external_id) == (0, "aws_policy", "policy:sales")
    assert first.who.inherit_from == ("role:x", "ID:ap-2")
    assert first.deleted_who is not None
    assert first.deleted_who.users == ("bob",)
    assert first.what[0].permissions == ("s3:GetObject",)
    assert (first.who_locked, first.what_locked) == (True, False)
    assert json.loads(first.owners[0])["email"] == "o@example.com"
    assert (second.name, second.delete, second.who.users, second.deleted_who) == ("123", True, (), None)
    assert (second.type, second.external_id, second.actual_name, second.action) == (None, None, None, "grant")


def test_the_same_file_as_json(tmp_path: Path) -> None:
    plain, as_json = tmp_path / "export.yaml", tmp_path / "export.json"
    plain.write_text(EXPORT)
    as_json.write_text(json.dumps(yaml.safe_load(EXPORT)))
    assert read_export(plain).controls == read_export(as_json).controls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "neither YAML nor JSON"),
        ("a: [", "neither YAML nor JSON"),
        ("- a", "the top level is no mapping"),
        ("accessProviders: 3", "accessProviders is no list"),
        ("accessProviders: {}", "accessProviders is no list"),
        ("accessProviders: ''", "accessProviders is no list"),
        ("accessProviders: false", "accessProviders is no list"),
        ("{}", "it has no accessProviders"),
        ('{"message": "Access Denied"}', "it has no accessProviders"),
    ],
)
def test_an_export_that_is_not_as_it_must_be(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(text)
    with pytest.raises(ExportUnreadable, match=expected) as caught:
        read_export(path)
    assert "\n" not in str(caught.value)


def test_an_export_may_leave_out_what_is_empty_and_says_nothing_of_what_was_made_before(tmp_path: Path) -> None:
    path = tmp_path / "export.yaml"
    path.write_text("fileBuildTime: 1795468320000")

    export = read_export(path)

    assert export.controls == ()
    assert not export.whole


@pytest.mark.parametrize("text", ["accessProviders: []", '{"accessProviders": null}'])
def test_an_export_of_nothing_is_whole(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(text)
    export = read_export(path)
    assert (export.controls, export.warnings, export.whole) == ((), (), True)


def test_no_secret_reaches_a_log_line(
    cloud: LocalRaitoCloud, target: Target, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="raito_pipeline")
    cloud.add_fault(CloudFault(on="query", times=2, skip=1, status=500))
    with target.job() as job, job.task(JobType.DATA_SOURCE) as task:
        finish(start_data_source_import(task, objects_file(tmp_path, "a"), delete_untouched=True), QUICK)
    assert SECRET not in caplog.text
    assert "eyJ" not in caplog.text


PLAIN = ("no", "y", "On", "007", "0o7", "08", "1_0", "12:30:45", "1e3", "1.10", ".inf", "=", "<<", "2026-13-45", "-0")


@pytest.mark.parametrize("text", [*PLAIN, "2026-12-45T00:00:00", "123", "9" * 5000])
def test_a_plain_text_is_read_as_it_stands_whatever_yaml_makes_of_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(
        f"accessProviders:\n- id: a\n  name: {text}\n  who:\n    users:\n    - {text}\n- {{id: b, name: B}}\n"
    )
    first, second = read_export(path).controls
    assert (first.name, first.who.users, first.unreadable) == (text, (text,), ())
    assert second.name == "B"


@pytest.mark.parametrize("number", ["1.10", "1e3", "9" * 5000])
def test_a_number_of_json_is_read_as_it_stands(tmp_path: Path, number: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(f'{{"accessProviders": [{{"id": "a", "name": {number}}}]}}')
    assert [control.name for control in read_export(path).controls] == [number]


# --- malformed elements


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("{id: a, who: [x]}", "(a).who: no mapping"),
        ("{id: a, who: []}", "(a).who: no mapping"),
        ("{id: a, who: ''}", "(a).who: no mapping"),
        ("{id: a, who: false}", "(a).who: no mapping"),
        ("{id: a, who: {users: x}}", "users is no list of texts"),
        ("{id: a, who: {users: ''}}", "users is no list of texts"),
        ("{id: a, deletedWho: 3}", "(a).deletedWho: no mapping"),
        ("{id: a, what: {}}", "what: no list"),
        ("{id: a, what: [{}]}", "names no data object"),
        ("{id: a, delete: 'yes please'}", "delete is neither true nor false"),
        ("{id: a, name: [x]}", "name is no text"),
        ("{id: a, name: true}", "name is no text"),
        ("{id: a, name: !!binary aGk=}", "name is no text"),
        ("{id: a, name: !!timestamp 2026-01-01}", "name is no text"),
        ("{id: a, who: {users: [true]}}", "users is no list of texts"),
        ("{id: a, delete: yes}", "delete is neither true nor false"),
        ("{id: a, owners: 3}", "owners is no list"),
        ("{id: a, owners: [x]}", "owners is no list"),
        ("{id: a, owners: ''}", "owners is no list"),
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
    assert to_batch(AccessControl, export.controls).num_rows == 2


HALF = '"cut \\uD83D"'
"""half of a character beyond 16 bits, as whoever cuts a text between the two leaves it"""


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (f'{{"id": "a", "name": {HALF}}}', "name holds half a character"),
        (f'{{"id": "a", "type": {HALF}, "externalId": {HALF}}}', "type holds half a character"),
        (f'{{"id": "a", "who": {{"users": ["x", {HALF}]}}}}', "users holds half a character"),
        (f'{{"id": "a", "what": [{{"dataObject": {{"fullName": {HALF}}}}}]}}', "fullName holds half a character"),
        (f'{{"id": "a", "deletedWho": {{{HALF}: 1}}, "what": [{HALF}]}}', "names no data object"),
        (f'{{"id": "a"}}, {{"id": "a", "name": {HALF}}}', "two access controls of the export have this id"),
    ],
)
def test_half_a_character_keeps_no_other_access_control_from_its_table(
    tmp_path: Path, element: str, expected: str
) -> None:
    path = tmp_path / "export.json"
    path.write_text(f'{{"accessProviders": [{element}, {{"id": "good", "name": "\\uD83D\\uDE00"}}]}}')

    export = read_export(path)

    bad, good = export.controls
    assert expected in "; ".join(bad.unreadable)
    assert (good.name, good.unreadable) == ("\N{GRINNING FACE}", ())
    assert to_batch(AccessControl, export.controls).num_rows == 2


def test_an_id_with_half_a_character_is_none(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(f'{{"accessProviders": [{{"id": {HALF}}}, {{"id": "good"}}]}}')

    export = read_export(path)

    assert [control.id for control in export.controls] == ["good"]
    assert "accessProviders[0] of the export has no id" in export.warnings[0]
    assert export.problems == export.warnings
    assert not export.whole


def test_what_names_the_object_is_kept_so_that_nobody_takes_it_for_an_orphan(tmp_path: Path) -> None:
    path = tmp_path / "export.yaml"
    path.write_text("accessProviders: [{id: a, name: A, type: aws_role, externalId: 'role:A', actualName: A, what: 3}]")
    (control,) = read_export(path).controls
    assert (control.name, control.type, control.external_id, control.actual_name) == ("A", "aws_role", "role:A", "A")


@pytest.mark.parametrize(
    ("element", "users", "what", "locks"),
    [
        ("who: {users: [ada]}, what: 3", ("ada",), 0, (False, False, True)),
        ("who: [ada], what: [{dataObject: {fullName: x}}]", (), 1, (True, True, False)),
        ("who: {users: [ada]}, whoLocked: true, owners: 3", ("ada",), 0, (True, False, False)),
        ("who: {users: [ada]}, deletedWho: 3", (), 0, (True, True, False)),
        ("who: {users: [ada]}, whoLocked: 3", (), 0, (True, True, True)),
        ("who: {users: [ada]}, action: [deny]", (), 0, (True, True, True)),
        ("who: {users: [ada]}, action: mask, owners: 3", (), 0, (True, True, True)),
        ("who: {users: [ada]}, delete: true, owners: 3", (), 0, (True, True, True)),
        ("who: {users: [ada]}}, {id: a", (), 0, (True, True, True)),
    ],
)
def test_of_one_that_cannot_be_read_the_who_or_what_that_can_stays_and_the_rest_is_locked(
    tmp_path: Path, element: str, users: tuple[str, ...], what: int, locks: tuple[bool, ...]
) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(f"accessProviders: [{{id: a, externalId: 'role:A', {element}}}]")

    (control,) = read_export(path).controls

    assert control.unreadable
    locked = (control.who_locked, control.inheritance_locked, control.what_locked)
    assert (locked, control.delete_locked, control.delete) == (locks, True, False)
    assert locks[0] or control.who.users == users
    assert len(control.what) == what


@pytest.mark.parametrize("element", ["3", "null", "{name: x}", "{id: ''}", "{id: [a]}"])
def test_without_an_id_there_is_a_warning_and_the_export_is_not_whole(tmp_path: Path, element: str) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(f"accessProviders: [{element}, {{id: good}}]")

    export = read_export(path)

    assert [control.id for control in export.controls] == ["good"]
    assert "accessProviders[0] of the export has no id" in export.warnings[0]
    assert export.problems == export.warnings
    assert not export.whole


def bomb() -> str:
    """A small file whose aliases stand for ten thousand million values."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join([*levels, "accessProviders: [{id: a, name: A, what: *a9}]"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (bomb(), "aliases"),
        ("accessProviders: " + "[" * 20_000, "YAML"),
        ('{"accessProviders": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    ],
    ids=["aliases", "YAML nested deeply", "JSON nested deeply"],
)
def test_a_file_made_to_exhaust_the_memory_ends_in_one_clear_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(text)

    with pytest.raises(ExportUnreadable, match=expected) as caught:
        read_export(path)

    assert "\n" not in str(caught.value)


def test_an_ampersand_in_a_text_is_no_alias(tmp_path: Path) -> None:
    path = tmp_path / "export.yaml"
    path.write_text("accessProviders: [{id: a, name: 'R &D and B&B', description: 'see *all'}]")
    (control,) = read_export(path).controls
    assert control.name == "R &D and B&B"


@pytest.mark.parametrize(
    ("name", "locked"),
    [
        ("whoLocked", "who_locked"),
        ("inheritanceLocked", "inheritance_locked"),
        ("whatLocked", "what_locked"),
        ("deleteLocked", "delete_locked"),
    ],
)
def test_each_lock_is_read_by_itself(tmp_path: Path, name: str, locked: str) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(f"accessProviders: [{{id: a, {name}: true}}]")
    (control,) = read_export(path).controls
    locks = ("who_locked", "inheritance_locked", "what_locked", "delete_locked")
    assert [each for each in locks if getattr(control, each)] == [locked]


def test_lists_that_are_absent_or_null_are_empty_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "export.yaml"
    item = "{dataObject: {fullName: x, type: bucket}, permissions: [s3:GetObject]}"
    who = "who: {users: null, groups: [g], recipients: [a@example.com]}"
    path.write_text(f"accessProviders: [{{id: a, {who}, what: null, deleteWhat: [{item}]}}, {{id: b, who: null}}]")
    first, second = read_export(path).controls
    assert (first.who.users, first.who.groups, first.who.recipients) == ((), ("g",), ("a@example.com",))
    assert (first.what, [each.permissions for each in first.delete_what]) == ((), [("s3:GetObject",)])
    assert (second.who.users, second.what, second.owners) == ((), (), ())
