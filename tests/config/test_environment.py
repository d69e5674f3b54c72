"""Options in the environment, as the Raito CLI takes them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from raito_pipeline.config import ConfigError, Options, load
from raito_pipeline.config.describe import FILE_OR_TARGET, LOCKS, PIPELINE, WHOLE_FILE, describe
from raito_pipeline.config.environment import variable
from tests.config.conftest import LOGIN, account

Read = Callable[..., Options]
PLACES = (FILE_OR_TARGET, LOCKS, PIPELINE)
HIDDEN = "hunter2-of-the-environment"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str = "", target: str = "", overrides: dict[str, str] | None = None, **environ: str) -> Options:
        file = tmp_path / "raito.yml"
        file.write_text(f"{LOGIN}{text}\ntargets:\n{account(target)}")
        return load(file, {"HOME": str(tmp_path), **environ}, overrides=overrides)

    return read


def test_it_wins_over_the_file_and_the_command_line_and_targets_win_over_it(read: Read) -> None:
    given = {"RAITO_DOMAIN": "other", "RAITO_REPLACE_GROUPS": "false"}

    assert read(**given).accounts[0].domain == "other"
    assert read("replace-groups: true", **given).accounts[0].replace_groups is False
    assert read(target="replace-groups: true", **given).accounts[0].replace_groups is True
    assert (
        read(target="replace-groups: true", overrides={"replace-groups": "false"}).accounts[0].replace_groups is False
    )
    assert read(**given, RAITO_CRON="0 6 * * *").cron == "0 6 * * *"


def test_a_stage_that_it_skips_is_skipped_whatever_a_target_says(read: Read) -> None:
    target = "skip-data-access-sync: false"

    assert read(target=target, RAITO_SKIP_DATA_ACCESS_SYNC="true").accounts[0].skip_data_access_sync is True
    assert read("skip-data-access-sync: true", RAITO_SKIP_DATA_ACCESS_SYNC="false").accounts[
        0
    ].skip_data_access_sync is (False)


@pytest.mark.parametrize("given", ["{{SKIP}}", " True", "1"])
def test_it_skips_in_whatever_words(read: Read, given: str) -> None:
    target = "skip-data-access-sync: false"

    assert read(target=target, RAITO_SKIP_DATA_ACCESS_SYNC=given, SKIP="yes").accounts[0].skip_data_access_sync is True
    options = read(target="skip-data-access-sync: true", RAITO_SKIP_DATA_ACCESS_SYNC="{{SKIP}}", SKIP="no")
    assert options.accounts[0].skip_data_access_sync is True


def test_a_skip_that_cannot_be_read_is_an_error_whatever_a_target_says(read: Read) -> None:
    for given in ("maybe", "{{UNSET}}"):
        with pytest.raises(ConfigError, match="environment variable RAITO_SKIP_DATA_ACCESS_SYNC"):
            read(target="skip-data-access-sync: false", RAITO_SKIP_DATA_ACCESS_SYNC=given)


def test_what_is_below_pipeline_has_names_of_its_own(read: Read) -> None:
    options = read(
        "pipeline: {mode: apply, storage: here}", RAITO_PIPELINE_MODE="plan", RAITO_PIPELINE_STORAGE="s3://a-b-c/d"
    )

    assert (options.pipeline.mode, options.pipeline.storage) == ("plan", "s3://a-b-c/d")


def test_each_option_of_the_whole_file_has_a_variable_and_is_said_to_come_of_it(read: Read) -> None:
    options = [option for option in describe() if option.variable and option.where in (WHOLE_FILE, *PLACES)]
    assert {option.name for option in options} >= {"api-secret", "lock-all-who", "storage", "cron"}

    for option in options:
        name = option.variable or ""
        [said] = read(**{name: "one" if option.name == "only-targets" else option.example}).from_environment
        assert (said.variable, said.option) == (name, option.name)
        assert name.startswith("RAITO_PIPELINE_") == (option.where == PIPELINE)


def test_an_empty_variable_counts_as_not_set(read: Read) -> None:
    assert read("cron: 0 6 * * *", RAITO_CRON=" ").cron == "0 6 * * *"
    assert read(RAITO_DOMAIN="").from_environment == ()


def test_a_secret_is_never_shown(read: Read) -> None:
    options = read(RAITO_API_SECRET=HIDDEN, RAITO_API_USER="somebody")
    account = options.accounts[0]

    assert account.api_secret.get_secret_value() == HIDDEN
    assert HIDDEN not in repr(options) + str([str(each) for each in options.from_environment])
    with pytest.raises(ConfigError) as caught:
        read(RAITO_API_SECRET=HIDDEN, RAITO_FREQUENCY=f"every {HIDDEN}")
    assert HIDDEN not in str(caught.value)
    assert "RAITO_FREQUENCY" in str(caught.value)


def test_a_secret_may_be_a_reference_that_is_read_when_it_is_used(read: Read) -> None:
    [deferred] = read(RAITO_API_SECRET="{{secretsmanager:raito:secret}}").accounts[0].deferred

    assert (deferred.option, str(deferred.reference)) == (
        "api-secret",
        "the secret 'raito' (its member 'secret') of AWS Secrets Manager",
    )
    assert "RAITO_API_SECRET" in deferred.place


def test_who_keeps_a_value_of_its_own_is_said(read: Read) -> None:
    [said] = read(target="domain: mine", RAITO_DOMAIN="other").from_environment

    assert str(said) == "`domain` is read from the environment variable RAITO_DOMAIN; the targets one have their own"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("RAITO_SKIP_DATA_ACCES_SYNC", "perhaps RAITO_SKIP_DATA_ACCESS_SYNC"),
        ("RAITO_PIPELINE_MODES", "perhaps RAITO_PIPELINE_MODE"),
        ("RAITO_MODE", "perhaps RAITO_PIPELINE_MODE"),
        ("RAITO_TARGETS", "it in the file itself"),
        ("RAITO_PIPELINE_S3_INVENTORY", "it in the file itself"),
    ],
)
def test_a_slip_near_to_what_guards_and_what_cannot_be_read_is_an_error(read: Read, name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=rf"environment variable {name}: .*{says}"):
        read(**{name: "x"})


def test_other_slips_are_said_and_strangers_are_let_be(read: Read) -> None:
    options = read(
        RAITO_DOMAINS="x", RAITO_AWS_PROFILE="x", RAITO_OF_SOMEBODY="x", RAITO_LOG_FILE="x", RAITO_CONFIG_FILE="x"
    )

    assert [str(warning).partition(":")[0] for warning in options.warnings] == [
        "environment variable RAITO_AWS_PROFILE",
        "environment variable RAITO_DOMAINS",
    ]
    assert read("cron: '{{RAITO_CRONS}}'", RAITO_CRONS="0 6 * * *").warnings == ()


def test_plain_http_to_another_machine_is_refused_here_too(read: Read) -> None:
    with pytest.raises(ConfigError, match=r"environment variable RAITO_RAITO_URL_OVERRIDE: .*plain http"):
        read(RAITO_RAITO_URL_OVERRIDE="http://raito.example/")


def test_targets_that_it_leaves_out_are_named_by_the_variable(read: Read) -> None:
    with pytest.raises(ConfigError, match=r'environment variable RAITO_ONLY_TARGETS: option "only-targets".*"two"'):
        read(RAITO_ONLY_TARGETS="two")


def test_the_names_of_variables() -> None:
    assert variable("api-user") == "RAITO_API_USER"
    assert variable("storage", below_pipeline=True) == "RAITO_PIPELINE_STORAGE"
    assert variable("targets") is None
