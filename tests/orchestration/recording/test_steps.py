"""How a step is declared: its assets, checks and resources under the names of its component, with links to source."""

from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.orchestration.naming import translated
from raito_pipeline.orchestration.recording import steps
from raito_pipeline.orchestration.recording.checks import checks_of
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.recording.steps import step

SPECS = [dg.AssetSpec("iam_users"), dg.AssetSpec("iam_groups")]


def declared(component: str, specs: list[dg.AssetSpec]) -> dg.AssetsDefinition:
    @step(translated(component, SPECS, None), specs, name="account_iam")
    def account_iam(context: dg.AssetExecutionContext, services: str, somebody: str = "") -> Results:
        """Reads it."""
        context.log.info(services + somebody)
        yield from ()

    return account_iam


def test_it_has_the_names_of_its_component_and_the_resources_that_its_function_takes() -> None:
    made = declared("eu", SPECS)

    assert made.keys == {dg.AssetKey(["eu", "iam_users"]), dg.AssetKey(["eu", "iam_groups"])}
    assert made.op.name == "eu_account_iam"
    assert made.op.description == "Reads it."
    # `services` is one of ours; the other parameter is not
    assert made.required_resource_keys - {"io_manager"} == {"eu_services"}


def test_each_asset_has_the_checks_of_its_table() -> None:
    made = declared("", SPECS)

    names = {(key.asset_key.to_user_string(), key.name) for key in made.check_keys}
    assert names == {(table, each.name) for table in ("iam_users", "iam_groups") for each in checks_of(table)}
    assert names


@pytest.mark.parametrize("specs", [SPECS, SPECS[:1]], ids=["several tables", "one table"])
def test_any_part_of_it_can_be_asked_for_and_no_check_has_to_have_an_output(specs: list[dg.AssetSpec]) -> None:
    step = declared("", specs)
    assert step.can_subset
    assert not any(output.is_required for output in step.op.output_defs)


def test_an_asset_links_to_the_step_that_makes_it_and_to_the_declaration_of_its_columns() -> None:
    spec = next(each for each in declared("", SPECS).specs if each.key == dg.AssetKey("iam_users"))

    references = spec.metadata["dagster/code_references"].code_references
    assert [(Path(each.file_path).name, each.label) for each in references] == [
        ("test_steps.py", "how it is made"),
        ("iam.py", "what its columns mean"),
    ]


def test_the_function_is_given_the_resources_of_its_component_by_their_plain_names() -> None:
    got = []

    @step(translated("eu", SPECS, None), SPECS, name="account_iam")
    def account_iam(context: dg.AssetExecutionContext, raito_jobs: str, services: str) -> Results:
        got.append((raito_jobs, services))
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key)
        for key in context.selected_asset_check_keys:
            spec = context.assets_def.get_spec_for_check_key(key)
            context.log_event(dg.AssetCheckEvaluation(asset_key=key.asset_key, check_name=key.name, passed=True))
            yield dg.Output(None, output_name=spec.get_python_identifier())

    resources = {"eu_services": "the services", "eu_raito_jobs": "the jobs"}
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([account_iam], resources=resources, instance=instance).success

    assert got == [("the jobs", "the services")]
    assert set(steps.RESOURCES) == {"services", "sync_run", "raito_jobs"}
