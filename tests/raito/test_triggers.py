"""Messages of Raito Cloud: what they ask for, and what is no message."""

import json
from typing import Any

import pytest

from raito_pipeline.raito.jobs import JobType
from raito_pipeline.raito.triggers import AccessUpdate, Message, MessageUnreadable, SyncTrigger, read_message

WHOLE = {"identityStoreSync": True, "dataSourceSync": True, "accessSync": True, "usageSync": True}
ASKED: list[tuple[dict[str, Any], tuple[Message, ...]]] = [
    ({"apUpdate": {"domain": "acme", "dataSourceNames": ["a", "b", "a"]}}, (AccessUpdate(("a", "b")),)),
    ({"apUpdate": {"domain": "ACME", "dataSourceNames": ["a"]}}, (AccessUpdate(("a",)),)),
    ({"apUpdate": {"domain": "other", "dataSourceNames": ["a"]}}, ()),
    ({"apUpdate": {"dataSourceNames": None}}, (AccessUpdate(()),)),
    ({"apUpdate": None, "syncTrigger": {"dataSource": "a"}}, (SyncTrigger("a", None, ()),)),
    (
        {"syncTrigger": {"domain": "acme", "dataSource": "a", "identityStore": "i", **WHOLE}},
        (SyncTrigger("a", "i", tuple(JobType)),),
    ),
    (
        {"syncTrigger": {"identityStore": "i", "identityStoreSync": True, "dataSource": ""}},
        (SyncTrigger(None, "i", (JobType.IDENTITY_STORE,)),),
    ),
    (
        {
            "syncTrigger": {
                "dataSource": "a",
                "dataSourceSync": True,
                "dataObjectParent": "1:eu:b",
                "dataObjectExcludes": ["1:eu:b/x"],
            }
        },
        (SyncTrigger("a", None, (JobType.DATA_SOURCE,), "1:eu:b", ("1:eu:b/x",)),),
    ),
]
GARBAGE = [
    "",
    "{",
    "[]",
    "null",
    "7",
    '"apUpdate"',
    "{}",
    '{"message": "Internal server error"}',
    '{"apUpdate": []}',
    '{"apUpdate": {"dataSourceNames": "a"}}',
    '{"apUpdate": {"dataSourceNames": [1]}}',
    '{"syncTrigger": {}}',
    '{"syncTrigger": {"dataSource": 7}}',
    '{"syncTrigger": {"dataSource": "a", "dataObjectExcludes": {"b": 1}}}',
    b"\xff\xfe",
    "[" * 100_000,
    json.dumps({"message": "x" * 100_000}),
]


@pytest.mark.parametrize(("said", "expected"), ASKED)
def test_what_a_message_asks_for(said: dict[str, Any], expected: tuple[Message, ...]) -> None:
    stages = sorted(JobType)
    found = read_message(json.dumps(said), "acme")
    assert [(type(each), sorted(getattr(each, "stages", stages))) for each in found] == [
        (type(each), sorted(getattr(each, "stages", stages))) for each in expected
    ]
    if not any(isinstance(each, SyncTrigger) and len(each.stages) > 1 for each in expected):
        assert found == expected


@pytest.mark.parametrize("text", GARBAGE, ids=lambda text: str(text[:20]))
def test_what_is_no_message_is_said_in_a_short_line(text: str | bytes) -> None:
    with pytest.raises(MessageUnreadable) as caught:
        read_message(text, "acme")
    assert len(str(caught.value)) < 300
