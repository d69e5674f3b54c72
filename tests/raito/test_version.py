"""Constraints of versions, as Raito Cloud words them, and what an answer of it means for this client."""

import pytest

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.version import VersionCheck, check_version, satisfies

from .conftest import Answer, ScriptedServer, connection_to


@pytest.mark.parametrize(
    ("constraint", "yes", "no"),
    [
        (">= 0.30, < 2", ["0.30.0", "1.99.9"], ["0.29.9", "2.0.0"]),
        (">=0.30 <2", ["1.0.0"], ["2.0.0"]),
        ("0.72", ["0.72.0", "0.72.9"], ["0.73.0", "0.71.9"]),
        ("1.x", ["1.0.0", "1.9.9"], ["2.0.0"]),
        ("=1.2.3", ["1.2.3", "v1.2.3"], ["1.2.4"]),
        ("!=1.2", ["1.3.0"], ["1.2.0", "1.2.9"]),
        ("> 1", ["2.0.0"], ["1.0.0", "1.9.9"]),
        ("<= 1", ["1.9.9", "0.1.0"], ["2.0.0"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1", ["1.9.9"], ["2.0.0"]),
        ("^1.2", ["1.2.0", "1.9.9"], ["2.0.0", "1.1.9"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("< 0.5 || >= 2", ["0.4.0", "3.0.0"], ["1.0.0"]),
        ("*", ["0.0.0", "9.9.9"], []),
    ],
)
def test_which_versions_meet_a_constraint(constraint: str, yes: list[str], no: list[str]) -> None:
    assert [version for version in (*yes, *no) if satisfies(version, constraint)] == yes


def test_greater_than_an_open_version_is_beyond_all_that_it_stands_for() -> None:
    assert not satisfies("1.2.9", "> 1.2")
    assert satisfies("1.3.0", "> 1.2")


@pytest.mark.parametrize(
    ("version", "constraint"), [("seven", "*"), (">=1", "*"), ("1.0.0", "about 2"), ("1.0.0", "1.y")]
)
def test_what_is_no_version_or_constraint_is_an_error(version: str, constraint: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        satisfies(version, constraint)


def checked(server: ScriptedServer, supported: object, deprecated: object = None) -> VersionCheck:
    said = {"supportedVersions": supported, "deprecatedVersions": deprecated}
    server.on("POST", "/query", Answer({"data": {"supportedCLIVersion": said, "SupportedCLIVersion": said}}))
    with RaitoClient(connection_to(server.url, skip_authentication=True)) as client:
        return check_version(client, "0.72.0")


def test_what_raito_cloud_says_of_a_version(scripted: ScriptedServer) -> None:
    assert checked(scripted, ">= 0.70") == VersionCheck(True, False, "")
    assert checked(scripted, None) == VersionCheck(True, False, "")
    refused = checked(scripted, ">= 0.80")
    assert (refused.supported, refused.message) == (
        False,
        "Raito Cloud supports CLI versions >= 0.80, and this client speaks as version 0.72.0",
    )
    old = checked(scripted, ">= 0.70", {"deprecatedVersions": "< 0.75", "msg": "update by June"})
    assert (old.supported, old.deprecated) == (True, True)
    assert old.message.endswith("supports only for now: update by June")
    unknown = checked(scripted, "the newest")
    assert (unknown.supported, unknown.deprecated) == (True, False)
    assert "'the' is no version constraint" in unknown.message
