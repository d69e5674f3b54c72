"""The component in somebody's Dagster project: nothing of it meets what is there already, or another one of it."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.component import RaitoAsset, RaitoAwsComponent, build_definitions
from raito_pipeline.config import ConfigError, load
from raito_pipeline.model import TABLES, Layer, Outside
from raito_pipeline.orchestration.automation.jobs import JOB_NAMES
from raito_pipeline.orchestration.recording.checks import checks_of
from raito_pipeline.orchestration.recording.external import EXTERNAL
from raito_pipeline.orchestration.recording.freshness import LAST_TABLES
from tests.dagster_project import load_project, write_project
from tests.orchestration.conftest import ACCOUNT, HEAD

PLAIN = "type: raito_pipeline.RaitoAwsComponent\n"
TRANSLATED = """\
type: raito_pipeline.RaitoAwsComponent
attributes:
  raito_yml: settings/america.yml
  name: us
  translation:
    key: "lake/{{ asset.name }}"
    group_name: raito
    owners: ["team:access", "ann@example.com"]
    tags: {tier: gold}
    kinds: [snowflake]
    metadata: {cost center: north}
    deps: [landing]
"""
SOMEBODY = """\
import dagster as dg

from assets import COUNTED


@dg.asset
def iam_users(services: dg.ResourceParam[str]) -> None: ...


@dg.asset
def landing() -> None: ...


# Names that steps of ours have, too.
@dg.op
def account_iam() -> None: ...


@dg.job
def sync_account() -> None:
    account_iam()


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(
        assets=[iam_users, landing],
        jobs=[sync_account],
        resources={"services": f"not ours {COUNTED}"},
        executor=dg.multiprocess_executor,
    )
"""


def raito_yml(number: int, *options: str) -> str:
    """A configuration of one account; `number` tells it from others."""
    account = ACCOUNT.format(number=number, account=f"{number:012}")
    return HEAD.format(storage=f"data-{number}", options="\n".join(options)) + account


@dataclass(frozen=True)
class Project:
    """A loaded project, with its repository resolved."""

    folder: Path
    definitions: dg.Definitions

    @property
    def repository(self) -> dg.RepositoryDefinition:
        return self.definitions.get_repository_def()

    def spec(self, key: str) -> dg.AssetSpec:
        wanted = dg.AssetKey.from_user_string(key)
        return next(spec for spec in self.definitions.resolve_all_asset_specs() if spec.key == wanted)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Two components, and beside them things with the very names of ours."""
    files = {
        "assets/__init__.py": "COUNTED = 7\n",
        "somebody/defs/raito-eu/defs.yaml": PLAIN,
        "somebody/defs/raito-eu/raito.yml": raito_yml(1, "cron: 0 5 * * *"),
        "somebody/defs/america/defs.yaml": TRANSLATED,
        "somebody/defs/own.py": SOMEBODY,
    }
    folder = write_project(tmp_path_factory.mktemp("project"), "somebody", files)
    (folder / "settings").mkdir()
    (folder / "settings" / "america.yml").write_text(raito_yml(2, "frequency: 90"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        yield Project(folder, load_project(folder, "somebody", patch))


def test_each_table_is_there_once_a_component_beside_assets_of_the_same_name(project: Project) -> None:
    keys = {spec.key.to_user_string() for spec in project.definitions.resolve_all_asset_specs()}

    names = (*TABLES, *(external.name for external in EXTERNAL))
    assert keys == {
        *(f"raito_eu/{name}" for name in names),
        *(f"lake/{name}" for name in names),
        "iam_users",
        "landing",
    }


def test_the_project_keeps_its_executor_and_its_resources(project: Project) -> None:
    assert project.definitions.executor is dg.multiprocess_executor
    assert project.repository.get_top_level_resources()["services"].resource_fn(None) == "not ours 7"
    assert project.repository.get_implicit_global_asset_job_def().executor_def is dg.multiprocess_executor


def test_jobs_sensors_and_schedules_are_told_apart(project: Project) -> None:
    jobs = {name for name in project.repository.job_names if not name.startswith("__")}
    ours = ("sync_organization", "sync_account", "sync_account_regions", "sync_account_finish")
    others = ("sync_account_finish_again", "look_for_drift")
    asked = ("push_out_of_sync", "sync_stages_account", "sync_stages_regions", "sync_stages_finish")
    layers = {f"{name}_{job}" for name in ("raito_eu", "us") for job in (*ours, *others, *asked)}

    assert jobs == {"sync_account", *layers}
    assert {sensor.name for sensor in project.repository.sensor_defs} == {
        "raito_eu_continue_sync",
        "raito_eu_do_what_raito_cloud_asks",
        "us_continue_sync",
        "us_do_what_raito_cloud_asks",
        "us_sync_by_frequency",
    }
    assert {schedule.name for schedule in project.repository.schedule_defs} == {
        "raito_eu_sync_organizations_by_cron",
        "raito_eu_sync_accounts_by_cron",
    }


@pytest.mark.parametrize(("component", "prefix"), [("raito_eu", "raito_eu"), ("us", "lake")])
def test_every_job_makes_the_tables_of_its_layer_with_their_checks(
    project: Project, component: str, prefix: str
) -> None:
    for layer_of_sync, name in JOB_NAMES.items():
        tables = layer_of_sync.tables
        layer = project.repository.get_job(f"{component}_{name}").asset_layer
        assert {key.to_user_string() for key in layer.executable_asset_keys} == {f"{prefix}/{each}" for each in tables}
        checks = {(key.asset_key.to_user_string(), key.name) for key in layer.asset_graph.asset_check_keys}
        assert checks == {(f"{prefix}/{table}", check.name) for table in tables for check in checks_of(table)}


@pytest.mark.parametrize("prefix", ["raito_eu", "lake"])
def test_lineage_stays_within_a_component(project: Project, prefix: str) -> None:
    plain = build_definitions(load(project.folder / "settings" / "america.yml")).resolve_all_asset_specs()

    for spec in plain:
        wanted = {f"{prefix}/{dep.asset_key.to_user_string()}" for dep in spec.deps}
        found = {dep.asset_key.to_user_string() for dep in project.spec(f"{prefix}/{spec.key.to_user_string()}").deps}
        assert found - {"landing"} == wanted


@pytest.mark.parametrize("prefix", ["raito_eu", "lake"])
def test_the_last_tables_have_the_freshness_of_their_schedule(project: Project, prefix: str) -> None:
    for table in TABLES:
        policy = project.spec(f"{prefix}/{table}").freshness_policy
        assert (policy is not None) == (table in LAST_TABLES), table


def test_a_translation_says_how_assets_are_shown(project: Project) -> None:
    spec = project.spec("lake/iam_users")

    assert (spec.group_name, list(spec.owners)) == ("raito", ["team:access", "ann@example.com"])
    assert (spec.tags["tier"], spec.kinds) == ("gold", {"snowflake"})
    assert spec.metadata["cost center"] == "north"
    assert "dagster/column_schema" in spec.metadata
    assert dg.AssetKey("landing") in {dep.asset_key for dep in spec.deps}


def test_without_a_translation_nobody_owns_them_and_groups_have_the_name_of_the_component(project: Project) -> None:
    spec = project.spec("raito_eu/iam_users")

    assert (spec.group_name, list(spec.owners)) == ("raito_eu_account_iam", [])
    assert spec.kinds == {"parquet", "iam"}


def test_what_is_mapped_over_the_specs_afterwards_leaves_the_jobs_as_they_are(project: Project) -> None:
    mapped = project.definitions.map_asset_specs(func=lambda spec: spec.replace_attributes(group_name="one"))

    assert {spec.group_name for spec in mapped.resolve_all_asset_specs()} == {"one"}
    job = mapped.get_repository_def().get_job("us_sync_account")
    assert {key.path[-1] for key in job.asset_layer.executable_asset_keys} == set(Layer.ACCOUNT.tables)


class Renamed(RaitoAwsComponent):
    """As somebody writes it, where YAML does not reach."""

    def get_asset_spec(self, asset: RaitoAsset) -> dg.AssetSpec:
        spec = super().get_asset_spec(asset)
        stolen = {"partitions_def": dg.DailyPartitionsDefinition("2026-01-01"), "deps": []}
        if asset.stage == "account_iam":
            return spec.replace_attributes(key=["people", f"{asset.name}_of_aws"], **stolen)
        return spec


def test_a_subclass_calls_assets_as_it_likes_and_takes_nothing_from_a_sync(tmp_path: Path) -> None:
    (tmp_path / "raito.yml").write_text(raito_yml(3), encoding="utf-8")
    options = load(tmp_path / "raito.yml")
    plain = {spec.key.to_user_string(): spec for spec in build_definitions(options).resolve_all_asset_specs()}

    specs = {spec.key.to_user_string(): spec for spec in Renamed().definitions(options).resolve_all_asset_specs()}

    renamed = {table: f"people/{table}_of_aws" for table in Outside.AWS_IAM.feeds}
    assert set(specs) == {renamed.get(table, table) for table in plain}
    for table, spec in plain.items():
        found = specs[renamed.get(table, table)]
        assert found.partitions_def == spec.partitions_def
        deps = {dep.asset_key.to_user_string(): dep.partition_mapping for dep in spec.deps}
        assert {dep.asset_key.to_user_string(): dep.partition_mapping for dep in found.deps} == {
            renamed.get(dep, dep): mapping for dep, mapping in deps.items()
        }


def test_two_of_the_same_name_are_refused_by_dagster(tmp_path: Path) -> None:
    (tmp_path / "raito.yml").write_text(raito_yml(4), encoding="utf-8")
    options = load(tmp_path / "raito.yml")

    with pytest.raises(dg.DagsterInvariantViolationError, match="eu_services"):
        dg.Definitions.merge(*(RaitoAwsComponent().definitions(options, "eu") for _ in range(2)))


def test_a_configuration_that_is_not_there_is_said_with_the_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = f"{PLAIN}attributes: {{raito_yml: there.yml}}\n"
    folder = write_project(tmp_path, "nothing_there", {"nothing_there/defs/raito/defs.yaml": named})

    with pytest.raises(Exception, match="raito") as caught:
        load_project(folder, "nothing_there", monkeypatch)

    reasons = []
    cause: BaseException | None = caught.value
    while cause is not None:
        reasons.append(cause)
        cause = cause.__cause__ or cause.__context__
    told = next(str(each) for each in reasons if isinstance(each, ConfigError))
    assert str(folder / "src" / "nothing_there" / "defs" / "raito" / "there.yml") in told
    assert str(folder / "there.yml") in told


def test_what_dg_scaffolds_loads_before_there_is_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_project(tmp_path, "scaffolded", {})
    place = folder / "src" / "scaffolded" / "defs" / "aws"
    place.mkdir()

    dg.scaffold_component(dg.ScaffoldRequest("raito_pipeline.RaitoAwsComponent", place, "yaml", folder, None), {})

    loaded = load_project(folder, "scaffolded", monkeypatch)
    assert {spec.key.path[0] for spec in loaded.resolve_all_asset_specs()} == {"aws"}


def test_what_knows_nothing_of_dagster_is_imported_without_it() -> None:
    loads = "import sys, raito_pipeline.model; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)

    assert {"raito_pipeline.model"} == {"raito_pipeline.model", "dagster", "boto3"} & set(done.stdout.split())


def test_the_component_is_found_where_dg_looks_for_it() -> None:
    import raito_pipeline

    assert "RaitoAwsComponent" in dir(raito_pipeline)
    assert raito_pipeline.RaitoAwsComponent is RaitoAwsComponent
