"""Names in places where they mean nothing: what would silently not be read is an error."""

from __future__ import annotations

import re

import pytest

from raito_pipeline.config import ConfigError
from raito_pipeline.config.describe import (
    ACCOUNT,
    CLI_ONLY,
    DISCOVER,
    EVERY_TARGET,
    LOCKS,
    ORGANIZATION,
    PIPELINE,
    WHOLE_FILE,
    OptionDoc,
    describe,
)

from .conftest import Fails, Loads, account, organization, raito_yml

# `target`, which belongs below `discover:`, is taken for a slip of `targets` anywhere else.
OPTIONS = [option for option in describe() if option.where != CLI_ONLY and option.name != "target"]
BY_NAME = {option.name: option for option in OPTIONS}
GUARDS = sorted(
    {
        o.name
        for o in OPTIONS
        if re.search(r"^mode$|^max-.*-(deletions|losses|share)$|^delete-untouched$|^only-targets$|skip-", o.name)
    }
)
TOP, IN_TARGET, BELOW = "it at the top of the file", "it in the target", "it below `pipeline:`"


def in_file(line: str, place: str) -> str:
    """A file that has `line` at the top, below `pipeline:`, or in a target."""
    if place == "pipeline":
        return raito_yml(top=f"pipeline:\n  {line}\n")
    return raito_yml(account(line if place == "target" else ""), top=f"{line}\n" if place == "top" else "")


def home(option: OptionDoc) -> str:
    """Where an option belongs, as the error says it."""
    if option.where == PIPELINE:
        return BELOW
    if option.where == DISCOVER:
        return "it below `pipeline: discover:`"
    return IN_TARGET if option.where in (EVERY_TARGET, ACCOUNT, ORGANIZATION) else TOP


WRONG_PLACES = [
    (option, name, place)
    for option in OPTIONS
    for name in option.spellings
    for place in ("top", "pipeline", "target")
    if not (place == "top" and home(option) == TOP)
    and not (place == "pipeline" and home(option) == BELOW)
    and not (place == "target" and (home(option) == IN_TARGET or option.where not in (WHOLE_FILE, PIPELINE, DISCOVER)))
]


@pytest.mark.parametrize(
    ("option", "name", "place"), WRONG_PLACES, ids=[f"{place}-{name}" for _, name, place in WRONG_PLACES]
)
def test_every_option_in_every_wrong_place_is_an_error(fails: Fails, option: OptionDoc, name: str, place: str) -> None:
    problems = fails(in_file(f'{name}: "{option.example}"', place))
    (problem,) = [problem for problem in problems if problem.option == name]
    assert "another place" in problem.found
    assert problem.expected == home(option)
    assert problem.target == ("one" if place == "target" else None)


def test_there_are_options_for_every_place() -> None:
    assert {place for _, _, place in WRONG_PLACES} == {"top", "pipeline", "target"}
    assert len(WRONG_PLACES) > 150
    assert {option.where for option in OPTIONS} >= {LOCKS, PIPELINE, ACCOUNT, ORGANIZATION, WHOLE_FILE}
    assert {"mode", "max-push-losses", "delete-untouched", "only-targets", "skip-data-access-sync"} <= set(GUARDS)


@pytest.mark.parametrize(
    ("line", "place", "option", "expected"),
    [
        ("mode: plan", "top", "mode", BELOW),
        ("Mode: plan", "top", "mode", BELOW),
        ("pipline: {mode: plan}", "top", "pipline", "perhaps `pipeline`"),
        ("pipelines: {mode: plan}", "top", "pipelines", "perhaps `pipeline`"),
        ("settings: {mode: plan}", "top", "settings", "`mode` below `pipeline:`"),
        ("settings: {a: b}", "top", "settings", "a known option"),
        ("settings: [a]", "top", "settings", "a known option"),
        ("pipeline.mode: plan", "top", "pipeline.mode", "perhaps `mode` below `pipeline:`"),
        ("push: {mode: plan}", "pipeline", "push", "`mode` below `pipeline:`"),
        ("config: {aws-access-skip-iam: true}", "target", "config", "`aws-access-skip-iam` in the target"),
        ("pipeline: {mode: plan}", "target", "pipeline", TOP),
        ("targets: []", "pipeline", "targets", TOP),
        ("aws-profile: {name: data}", "target", "aws-profile", "a text that is not empty"),
        ("skip-data-usage-sync: [true]", "target", "skip-data-usage-sync", "true or false"),
        ("mod: plan", "top", "mod", "perhaps `mode` below `pipeline:`"),
        ("mod: plan", "pipeline", "mod", "perhaps `mode`"),
        ("mod: plan", "target", "mod", "perhaps `mode` below `pipeline:`"),
        ("skip-data-usage: true", "target", "skip-data-usage", "perhaps `skip-data-usage-sync`"),
        ("skip_data_access_sync: true", "top", "skip_data_access_sync", "perhaps `skip-data-access-sync`"),
        ("only-target: one", "top", "only-target", "perhaps `only-targets`"),
    ],
)
def test_what_would_silently_not_be_read(fails: Fails, line: str, place: str, option: str, expected: str) -> None:
    (problem,) = fails(in_file(line, place))
    assert (problem.option, problem.expected) == (option, expected)
    assert problem.file.endswith("raito.yml")
    assert problem.line is not None
    assert problem.target == ("one" if place == "target" else None)


def slips(name: str) -> list[str]:
    middle = len(name) // 2
    swapped = name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :]
    return [name[:middle] + name[middle + 1 :], f"{name}s", swapped, name.replace("-", "_")]


@pytest.mark.parametrize("place", ["top", "pipeline", "target"])
@pytest.mark.parametrize("guard", GUARDS)
def test_a_slip_in_an_option_that_guards_against_harm_is_an_error(fails: Fails, guard: str, place: str) -> None:
    for name in set(slips(guard)) - BY_NAME.keys():
        problems = fails(in_file(f"{name}: x", place))
        assert f"`{guard}`" in str([problem.expected for problem in problems if problem.option == name])


@pytest.mark.parametrize("place", ["top", "pipeline", "target"])
@pytest.mark.parametrize(
    "line",
    [
        "data-object-enrichers: [{name: tags, connector-name: raito-io/x, api-secret: y}]",
        "repositories: [{name: raito-io, token: t}]",
        "repositories: {raito-io: t}",
        "log-file: raito.log",
        "debug: true",
        "x-common: {aws-concurrency: 3, mode: plan}",
        "x-regions: [eu-west-1]",
        ".common: {a: b}",
    ],
)
def test_what_the_pipeline_knowingly_does_not_use_is_a_warning(loads: Loads, line: str, place: str) -> None:
    (warning,) = loads(in_file(line, place)).warnings
    assert warning.option == line.partition(":")[0]


@pytest.mark.parametrize("holder", ["x-common", "defaults"])
def test_values_may_be_merged_from_a_holder(loads: Loads, holder: str) -> None:
    top = f"{holder}: &common\n  aws-concurrency: 3\n  aws-region: eu-west-1\n"
    options = loads(raito_yml(account("<<: *common", regions=""), organization("<<: *common", region=""), top=top))
    assert options.accounts[0].aws_concurrency == 3
    assert options.accounts[0].regions == ("eu-west-1",)
    assert [(warning.target, warning.option) for warning in options.warnings] == [
        (None, holder),
        ("org", "aws-concurrency"),
    ]


@pytest.mark.parametrize("name", ["defaults", "pipelin"])
def test_a_mapping_that_nobody_merges_or_that_is_a_slip_is_an_error(loads: Loads, name: str) -> None:
    """That it is merged elsewhere is no reason to leave out what was meant for `pipeline:`."""
    merged = "<<: *common" if name == "pipelin" else ""
    with pytest.raises(ConfigError, match=f'option "{name}": found an unknown mapping'):
        loads(raito_yml(account(merged), top=f"{name}: &common\n  aws-concurrency: 3\n"))


def test_targets_of_others_may_hold_anything(loads: Loads) -> None:
    other = account("mode: plan\ncron: x\nsettings: {mode: plan}\nmod: x", name="snow").replace(
        "aws-account", "snowflake"
    )
    (warning,) = loads(raito_yml(other, account())).warnings
    assert (warning.target, warning.option) == ("snow", "connector-name")


@pytest.mark.parametrize("name", ["dry-run", "dry_run", "dryrun", "read-only", "no-push", "plan-only", "simulate"])
def test_who_wants_no_changes_by_another_name_is_not_synced(fails: Fails, name: str) -> None:
    [problem] = fails(raito_yml(top=f"{name}: true\n"))
    assert problem.expected == "perhaps `mode` below `pipeline:`"
