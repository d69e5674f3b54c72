"""How a step of a run is declared: the one way from a function and the tables that it makes to assets in Dagster.

It gives each asset its name in the project, its checks, and the resources of its configuration.
"""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from raito_pipeline.model import TABLES, TableSpec
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.recording.checks import check_specs
from raito_pipeline.orchestration.recording.recorder import Results

# Links to source are marked beta in Dagster 1.13; the lock file pins the version that they were tried with.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*CodeReference.*")

SERVICES, SYNC_RUN, RAITO_JOBS = "services", "sync_run", "raito_jobs"
RESOURCES = (SERVICES, SYNC_RUN, RAITO_JOBS)
"""The parameters that a step may have besides `context`, each of them a resource."""
Body = Callable[..., Results]
_SOURCES = "dagster/code_references"


def step(
    naming: Naming,
    specs: Sequence[dg.AssetSpec],
    *,
    name: str,
    backfill_policy: dg.BackfillPolicy | None = None,
    config_schema: Mapping[str, dg.Field] | None = None,
    pool: str | None = None,
) -> Callable[[Body], dg.AssetsDefinition]:
    """Declare the decorated function as the step that makes the assets of `specs`, which have their plain names.

    The function takes `context` and, by name, those of `RESOURCES` that it works with. (Dagster finds resources by the
    names of parameters, too; but a resource of ours is called differently in each component of a project.) Steps of one
    `pool` share the limit that an instance sets for it; it is the same in all components.
    """
    named = [naming.spec(spec) for spec in specs]

    def declare(body: Body) -> dg.AssetsDefinition:
        keys = {each: naming.resource(each) for each in inspect.signature(body).parameters if each in RESOURCES}

        @dg.multi_asset(
            name=naming.of(name),
            description=inspect.getdoc(body),
            specs=[_with_source(spec, body, TABLES.get(naming.table(spec.key))) for spec in named],
            check_specs=check_specs(named, naming),
            can_subset=True,  # else the checks of a single table would need outputs
            required_resource_keys=set(keys.values()),
            backfill_policy=backfill_policy,
            config_schema=None if config_schema is None else dict(config_schema),
            pool=pool,
        )
        def compute(context: dg.AssetExecutionContext) -> Results:
            resources: dict[str, Any] = {each: getattr(context.resources, key) for each, key in keys.items()}
            yield from body(context, **resources)

        return compute

    return declare


def _with_source(spec: dg.AssetSpec, body: Body, table: TableSpec | None) -> dg.AssetSpec:
    """The spec with links to its source: the step that makes the table, and the module that declares its columns.

    (`dagster.with_source_code_references` would find the wrapper in this module. `dagster.link_code_references_to_git`
    turns these into links to a repository.)
    """
    code = inspect.unwrap(body).__code__
    sources = [
        dg.LocalFileCodeReference(file_path=code.co_filename, line_number=code.co_firstlineno, label="how it is made")
    ]
    declared_in = None if table is None else inspect.getmodule(table.row_type)
    if declared_in is not None and declared_in.__file__:
        sources.append(dg.LocalFileCodeReference(file_path=declared_in.__file__, label="what its columns mean"))
    return spec.merge_attributes(metadata={_SOURCES: dg.CodeReferencesMetadataValue(code_references=sources)})
