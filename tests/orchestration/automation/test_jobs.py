"""The jobs of a sync: what a person reads before one is launched."""

from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.jobs import JOB_NAMES, make_jobs
from raito_pipeline.orchestration.recording.checks import checks_of
from tests.orchestration.conftest import Loads, account_ids


def test_the_job_of_an_account_says_whose_the_ids_are(loads: Loads) -> None:
    repository = build_definitions(loads()).get_repository_def()

    text = repository.get_job(JOB_NAMES[Layer.ACCOUNT]).description

    for number, account in enumerate(account_ids(2)):
        assert f"- {account} is account-{number}" in text


def test_of_many_accounts_some_are_named() -> None:
    text = make_jobs({str(n): f"account-{'x' * n}" for n in range(60)})[JOB_NAMES[Layer.ACCOUNT]].description

    assert "- and 10 more" in text


def test_every_job_evaluates_the_checks_of_its_tables(loads: Loads) -> None:
    repository = build_definitions(loads()).get_repository_def()

    for layer, name in JOB_NAMES.items():
        evaluated = repository.get_job(name).asset_layer.asset_graph.asset_check_keys
        wanted = {(table, check.name) for table in layer.tables for check in checks_of(table)}
        assert {(key.asset_key.to_user_string(), key.name) for key in evaluated} == wanted
