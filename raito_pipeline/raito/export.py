"""The export of access controls: ask for it, wait, download the file, read it into rows."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import yaml

from raito_pipeline.model import EMPTY_WHO, AccessControl, DataObjectReference, WhatItem, WhoEntry
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import AddressEnded, ExportUnreadable
from raito_pipeline.raito.jobs import PATIENT, JobType, Polling, Subtask, SubtaskAnswer, Task, wait

_MAYBE_ANCHOR = re.compile(rb"(?:^|[\s\[{,:-])&\w")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml may be missing
    """Reads plain texts as they stand: `no`, `007`, `=`, `2026-13-45` and `1.10` are names like any other.

    YAML 1.1 makes false, 7 and 1.1 of some, and an error of the whole file of others. A writer that goes by another
    version, or by none, does not quote them all.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}


_LONGEST_NUMBER = 18
for _kind, _form, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", rf"0|-?[1-9][0-9]{{0,{_LONGEST_NUMBER - 1}}}", [*"-0123456789"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"^(?:{_form})$"), _first)

LONGEST_PAUSE = 1.0
_TIMES = ("lastCalculated", "fileBuildTime")
_NAMES = ("name", "type", "externalId", "actualName")
_LOCKS = ("whoLocked", "inheritanceLocked", "whatLocked")
_WHO_FIELDS = ("users", "groups", "inheritFrom", "recipients")


@dataclass(frozen=True, slots=True)
class Export:
    """An exported file: where it was stored, and its access controls in its order.

    `received` is `fileBuildTime` as it stands in the file, when Raito Cloud made it: what a push reports as
    `receivedDate`.
    """

    path: Path
    controls: tuple[AccessControl, ...]
    warnings: tuple[str, ...] = ()
    received: int | None = None
    whole: bool = True
    """true where it holds every access control of the data source: what it lacks is granted by nobody any more"""
    problems: tuple[str, ...] = ()
    """why it may lack access controls that were asked for"""


def export_access_controls(
    task: Task, folder: Path, *, out_of_sync_only: bool = False, polling: Polling = PATIENT
) -> Export:
    """Export the access controls of the job's data source into `folder`, and read them.

    `out_of_sync_only` asks for those that a push still has to handle. Raises `ExportUnreadable`, `ImportFailed`,
    `ImportTimedOut` and other `RaitoError`s.
    """
    job = task.job
    variables = {
        "input": {"jobId": job.id, "exportSettings": {"dataSource": job.data_source_id}},
        "filter": {"status": {"outOfSync": True}} if out_of_sync_only else {},
    }
    subtask_id = job.client.ask("ExportAccessProvidersRequest", variables, "subtask", "subtaskId")
    subtask = Subtask(job.id, JobType.DATA_ACCESS.value, subtask_id)
    path = folder / "access-controls.yaml"
    polling = replace(polling, longest=min(polling.longest, LONGEST_PAUSE))
    try:
        done = _downloaded(job.client, subtask, path, polling)
    except AddressEnded:  # while the download was tried again, say: the same question may give a new one
        done = _downloaded(job.client, subtask, path, polling)
    read = read_export(path)
    # What Raito Cloud had errors with may be missing, which does not say that nobody grants it any more.
    problems = (*(f"Raito Cloud: {error}" for error in done.errors), *read.problems)
    whole = read.whole and not out_of_sync_only and not done.errors
    return replace(read, warnings=(*done.warnings, *read.warnings), whole=whole, problems=problems)


def _downloaded(client: RaitoClient, subtask: Subtask, path: Path, polling: Polling) -> SubtaskAnswer:
    """Wait for the export, and put its file where `path` says. Raises `RaitoError`, `AddressEnded` among them."""
    done = wait(client, subtask, polling)
    location = str(done.result.get("fileLocation") or "")
    if not location:
        raise ExportUnreadable(f"job {subtask.job_id}", "Raito Cloud names no file")
    client.download(location, path, what="download of the exported access controls")
    return done


def read_export(path: Path) -> Export:
    """Read an exported file, YAML or JSON. Raises `ExportUnreadable` where it is no list of access controls.

    One that is not as it must be says so itself (`AccessControl.unreadable`), and those of one id do so, too. One
    without an id, for which there can be no feedback, is left out with a warning.
    """
    text = path.read_bytes()
    try:
        content = _json(text) if text.lstrip()[:1] == b"{" else _yaml(text)
    except RecursionError:
        raise ExportUnreadable(path.name, "its values are nested too deeply") from None
    except (ValueError, yaml.YAMLError) as error:
        raise ExportUnreadable(path.name, f"neither YAML nor JSON: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(content, Mapping):
        raise ExportUnreadable(path.name, "the top level is no mapping")
    if not any(name in content for name in ("accessProviders", *_TIMES)):
        raise ExportUnreadable(path.name, "it has no accessProviders")
    # A writer may leave out what is empty. So nothing is granted, and nothing that was made is taken to be forgotten.
    listed = _empty_where_null(content.get("accessProviders"), [])
    if not isinstance(listed, list):
        raise ExportUnreadable(path.name, "accessProviders is no list")
    controls, warnings = _controls(listed)
    built = content.get("fileBuildTime")
    return Export(
        path,
        controls,
        warnings,
        received=built if _is_number(built) else None,
        whole="accessProviders" in content and not warnings,
        problems=warnings,
    )


def _json(text: bytes) -> Any:
    """The content of a JSON file; numbers that are no moments stay as they are written."""
    return json.loads(text, parse_float=str, parse_int=lambda each: int(each) if len(each) <= _LONGEST_NUMBER else each)


def _yaml(text: bytes) -> Any:
    """The content of a YAML file without aliases: a few of them can stand for more than fits into any memory."""
    if _MAYBE_ANCHOR.search(text) and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, _Loader)):
        raise ValueError("it has aliases (*name), which Raito Cloud does not write")
    return yaml.load(text, Loader=_Loader)


def _controls(listed: list[Any]) -> tuple[tuple[AccessControl, ...], tuple[str, ...]]:
    """The access controls, one an id, and a warning for each that has no id."""
    controls: dict[str, AccessControl] = {}
    warnings = []
    for position, entry in enumerate(listed):
        identifier = entry.get("id") if isinstance(entry, Mapping) else None
        if identifier == "" or not _is_text(identifier) or not _whole(identifier):
            warnings.append(f"accessProviders[{position}] of the export has no id: it was left out, without feedback")
            continue
        control = _readable(entry, position, str(identifier))
        if control.id in controls:
            reason = "two access controls of the export have this id: nothing is changed for either"
            control = _locked(replace(controls[control.id], unreadable=(*controls[control.id].unreadable, reason)))
        controls[control.id] = control
    return tuple(controls.values()), tuple(warnings)


def _locked(control: AccessControl) -> AccessControl:
    """The access control with all its locks: nothing of it may be changed."""
    return replace(
        control, delete=False, who_locked=True, inheritance_locked=True, what_locked=True, delete_locked=True
    )


def _readable(entry: Mapping[str, Any], position: int, identifier: str) -> AccessControl:
    """One access control; of one that cannot be read what its feedback needs, and what is wrong with it.

    What can be read of its who and what stays, and the other is locked: who lost access does not wait for the rest.
    """
    try:
        return _control(entry, position)
    except ExportUnreadable as error:
        named = _named(entry, position, identifier, f"{error.where}: {error.reason}")
    where = f"accessProviders[{position}] ({identifier})"
    try:
        who_locked, inheritance_locked, what_locked = (_flag(entry, name, where) for name in _LOCKS)
        if _flag(entry, "delete", where) or (_text(entry, "action", where) or "grant") != "grant":
            return named
        named = replace(named, who_locked=who_locked, inheritance_locked=inheritance_locked, what_locked=what_locked)
    except ExportUnreadable:
        return named
    return _with_what(_with_who(named, entry, where), entry, where)


def _with_who(control: AccessControl, entry: Mapping[str, Any], where: str) -> AccessControl:
    try:
        who, gone = _whos(entry, where)
    except ExportUnreadable:
        return replace(control, who_locked=True, inheritance_locked=True)
    return replace(control, who=who, deleted_who=gone)


def _with_what(control: AccessControl, entry: Mapping[str, Any], where: str) -> AccessControl:
    try:
        what, gone = _whats(entry, where)
    except ExportUnreadable:
        return replace(control, what_locked=True)
    return replace(control, what=what, delete_what=gone)


def _whos(entry: Mapping[str, Any], where: str) -> tuple[WhoEntry, WhoEntry | None]:
    """Who has it, and who lost it. Raises `ExportUnreadable`."""
    gone = entry.get("deletedWho")
    who = _who(_empty_where_null(entry.get("who"), {}), f"{where}.who")
    return who, None if gone is None else _who(gone, f"{where}.deletedWho")


def _whats(entry: Mapping[str, Any], where: str) -> tuple[tuple[WhatItem, ...], tuple[WhatItem, ...]]:
    """What it gives, and what it gives no more. Raises `ExportUnreadable`."""
    return _what(entry.get("what"), f"{where}.what"), _what(entry.get("deleteWhat"), f"{where}.deleteWhat")


def _named(entry: Mapping[str, Any], position: int, identifier: str, reason: str) -> AccessControl:
    """An access control of which nothing but its names is known, and nothing may be changed."""
    readable = (name for name in _NAMES if _is_text(entry.get(name)) and _whole(entry[name]))
    given = {name: str(entry[name]) for name in readable}
    return AccessControl(
        position=position,
        id=identifier,
        name=given.get("name", ""),
        description="",
        naming_hint="",
        type=given.get("type"),
        external_id=given.get("externalId"),
        action="grant",
        delete=False,
        actual_name=given.get("actualName"),
        who=EMPTY_WHO,
        deleted_who=None,
        what=(),
        delete_what=(),
        who_locked=True,
        inheritance_locked=True,
        what_locked=True,
        delete_locked=True,
        owners=(),
        unreadable=(reason,),
    )


def _control(entry: Mapping[str, Any], position: int) -> AccessControl:
    where = f"accessProviders[{position}]"
    identifier = _text(entry, "id", where)
    where = f"{where} ({identifier})"
    (who, deleted_who), (what, delete_what) = _whos(entry, where), _whats(entry, where)
    return AccessControl(
        position=position,
        id=identifier,
        name=_text(entry, "name", where),
        description=_text(entry, "description", where),
        naming_hint=_text(entry, "namingHint", where),
        type=_text(entry, "type", where) or None,
        external_id=_text(entry, "externalId", where) or None,
        action=_text(entry, "action", where) or "grant",
        delete=_flag(entry, "delete", where),
        actual_name=_text(entry, "actualName", where) or None,
        who=who,
        deleted_who=deleted_who,
        what=what,
        delete_what=delete_what,
        who_locked=_flag(entry, "whoLocked", where),
        inheritance_locked=_flag(entry, "inheritanceLocked", where),
        what_locked=_flag(entry, "whatLocked", where),
        delete_locked=_flag(entry, "deleteLocked", where),
        owners=_owners(_empty_where_null(entry.get("owners"), []), where),
    )


def _empty_where_null(value: Any, empty: Any) -> Any:
    """What stands for nothing: null alone. Whatever else is empty or false is of another type, and says nothing."""
    return empty if value is None else value


def _owners(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(owner, Mapping) for owner in value):
        raise ExportUnreadable(where, "owners is no list of mappings")
    return tuple(json.dumps(owner, sort_keys=True, default=str) for owner in value)


def _who(value: Any, where: str) -> WhoEntry:
    if not isinstance(value, Mapping):
        raise ExportUnreadable(where, "no mapping")
    users, groups, inherit_from, recipients = (_texts(value, name, where) for name in _WHO_FIELDS)
    return WhoEntry(users, groups, inherit_from, recipients)


def _what(value: Any, where: str) -> tuple[WhatItem, ...]:
    if not isinstance(value, (list, type(None))):
        raise ExportUnreadable(where, "no list")
    items = []
    for position, item in enumerate(value or ()):
        here = f"{where}[{position}]"
        reference = item.get("dataObject") if isinstance(item, Mapping) else None
        if not isinstance(reference, Mapping) or not reference.get("fullName"):
            raise ExportUnreadable(here, "it names no data object")
        named = DataObjectReference(_text(reference, "fullName", here), _text(reference, "type", here))
        items.append(WhatItem(named, _texts(item, "permissions", here)))
    return tuple(items)


def _text(entry: Mapping[str, Any], name: str, where: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not _is_text(value):
        raise ExportUnreadable(where, f"{name} is no text")
    return _require_whole(str(value), name, where)


def _texts(entry: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    value = entry.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(map(_is_text, value)):
        raise ExportUnreadable(where, f"{name} is no list of texts")
    return tuple(_require_whole(str(part), name, where) for part in value)


def _require_whole(text: str, name: str, where: str) -> str:
    if not _whole(text):
        raise ExportUnreadable(where, f"{name} holds half a character, which nothing can be named by")
    return text


def _whole(value: Any) -> bool:
    """False for a text that was cut within a character: JSON can hold half of one, and no table or request can."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_text(value: Any) -> bool:
    """True for a text, and for a number, which is one that nobody quoted; a truth value, a date or bytes are none."""
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _flag(entry: Mapping[str, Any], name: str, where: str) -> bool:
    value = entry.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ExportUnreadable(where, f"{name} is neither true nor false")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
