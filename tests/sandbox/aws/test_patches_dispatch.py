"""How quickly the emulator finds the method of a request."""

import inspect
from typing import Any

import pytest

from tests.sandbox.aws.conftest import ClientOf


def test_a_class_is_looked_through_once(client: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    iam = client("iam")
    iam.list_users()
    looked: list[Any] = []
    look = inspect.getmembers

    def counted(of: Any, predicate: Any = None) -> Any:
        looked.append(of)
        return look(of, predicate)

    monkeypatch.setattr(inspect, "getmembers", counted)
    assert iam.list_users()["Users"] == []
    assert looked == []
