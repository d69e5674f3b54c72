"""Whatever gives out log files has what the reading of usage calls, with the same parameters."""

import inspect
from typing import Any

import pytest

from raito_pipeline.aws.readers.cloudtrail import CloudTrailLogs
from raito_pipeline.aws.usage.sources import LogSource
from tests.aws.usage.logs import Logs

METHODS = {name for name, each in vars(LogSource).items() if inspect.isfunction(each) and not name.startswith("_")}


def parameters(method: Any) -> list[tuple[str, Any]]:
    return [(each.name, each.kind) for each in inspect.signature(method).parameters.values()]


@pytest.mark.parametrize("source", [CloudTrailLogs, Logs])
@pytest.mark.parametrize("name", sorted({"layouts", "search", "missing", "files", "fetch"} | METHODS))
def test_a_source_has_what_is_called(source: type, name: str) -> None:
    assert name in METHODS
    assert parameters(getattr(source, name)) == parameters(getattr(LogSource, name))
