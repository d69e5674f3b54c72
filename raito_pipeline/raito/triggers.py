"""What Raito Cloud asks for between the syncs: the messages of the address that `cliTriggerUrl` names, as values.

Two are known: `apUpdate` (access controls of some data sources are not in AWS as they are defined) and `syncTrigger`
(some stages of one target, or what lies below one data object, are to be read now).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from raito_pipeline.raito.jobs import JobType

_LONGEST_SHOWN = 120
_STAGES: Mapping[str, JobType] = {
    "identityStoreSync": JobType.IDENTITY_STORE,
    "dataSourceSync": JobType.DATA_SOURCE,
    "accessSync": JobType.DATA_ACCESS,
    "usageSync": JobType.DATA_USAGE,
}


class MessageUnreadable(ValueError):
    """A message that is none of those that are known. Its text is bounded, as anybody may have sent it."""


@dataclass(frozen=True, slots=True)
class AccessUpdate:
    """Access controls of these data sources (their ids) wait for a push."""

    data_sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SyncTrigger:
    """Stages of the target with these ids in Raito Cloud are to be synced, or the data objects below `parent` alone."""

    data_source: str | None
    identity_store: str | None
    stages: tuple[JobType, ...]
    parent: str | None = None
    excludes: tuple[str, ...] = ()


Message = AccessUpdate | SyncTrigger


def read_message(text: str | bytes, domain: str) -> tuple[Message, ...]:
    """What a message asks for; nothing where it is for another domain.

    Raises `MessageUnreadable` for anything else than an object with `apUpdate` or `syncTrigger` of the right form.
    """
    try:
        said = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageUnreadable(f"a message of {len(text):,} characters is no JSON: {error}") from None
    if not isinstance(said, dict) or not said.keys() & _READERS.keys():
        raise MessageUnreadable(f"a message is neither {' nor '.join(_READERS)}: {_shown(said)}")
    wanted = []
    for name, reader in _READERS.items():
        body = said.get(name)
        if body is None:
            continue
        if not isinstance(body, dict):
            raise MessageUnreadable(f"{name} is no object: {_shown(body)}")
        meant_for = body.get("domain")
        if not meant_for or str(meant_for).lower() == domain:
            wanted.append(reader(body))
    return tuple(wanted)


def _access_update(body: Mapping[str, Any]) -> Message:
    return AccessUpdate(_texts(body, "dataSourceNames"))


def _sync_trigger(body: Mapping[str, Any]) -> Message:
    parent, stages = _text(body, "dataObjectParent"), tuple(stage for name, stage in _STAGES.items() if body.get(name))
    data_source, identity_store = _text(body, "dataSource"), _text(body, "identityStore")
    if not (data_source or identity_store):
        raise MessageUnreadable(f"a syncTrigger names neither dataSource nor identityStore: {_shown(body)}")
    return SyncTrigger(data_source, identity_store, stages, parent, _texts(body, "dataObjectExcludes"))


_READERS = {"apUpdate": _access_update, "syncTrigger": _sync_trigger}


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise MessageUnreadable(f"{name} is no text: {_shown(value)}")
    return value or None


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MessageUnreadable(f"{name} is no list of texts: {_shown(value)}")
    return tuple(dict.fromkeys(each for each in value if each))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
