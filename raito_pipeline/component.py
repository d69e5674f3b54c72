"""The Dagster component: everything of one `raito.yml`, in any Dagster project.

`raito_pipeline.definitions` is it on the `raito.yml` of a directory. In a project of your own it is a folder of `defs`
with a `defs.yaml`; `dg scaffold defs raito_pipeline.RaitoAwsComponent NAME` writes one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import dagster as dg
from dagster.components.utils.translation import TranslationFn, TranslationFnResolver
from pydantic import BaseModel, Field, PrivateAttr

from raito_pipeline.config import ConfigError, Options, Pipeline, Problem, load
from raito_pipeline.orchestration.automation.automation import build_automation
from raito_pipeline.orchestration.config_file import load_configuration, s3_address
from raito_pipeline.orchestration.naming import Naming, Translate, translated
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.recording.progress import RunProgress
from raito_pipeline.orchestration.recording.steps import RAITO_JOBS, SERVICES, SYNC_RUN
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync_run import sync_run
from raito_pipeline.orchestration.upload.raito_jobs import raito_jobs

if TYPE_CHECKING:
    import assets
else:
    from raito_pipeline import assets

RAITO_YML = "raito.yml"


@dataclass(frozen=True)
class RaitoAsset:
    """What a translation is given of an asset: `name` is its table (or place outside), `stage` its plain group.

    `spec` is how it is called and shown without a translation.
    """

    name: str
    stage: str
    spec: dg.AssetSpec


class RaitoAwsComponent(dg.Component, dg.Model, dg.Resolvable):
    """Keeps the AWS accounts of a `raito.yml` in step with Raito Cloud.

    Override `get_asset_spec` to call or show the assets differently, where `translation` does not reach.
    """

    raito_yml: Annotated[
        str | None,
        Field(
            description="Path of the configuration, from the folder of this file or else from that of the project; "
            "or its address on S3, s3://BUCKET/KEY. "
            "Default: raito.yml; no accounts are shown until there is one."
        ),
    ] = None
    name: Annotated[
        str | None,
        Field(
            description="What everything of it is called by: the prefix of its asset keys, groups, jobs, sensors, "
            "schedules and resources. Default: the name of its folder. Empty: nothing is put before them.",
            pattern=r"^[A-Za-z0-9_]*$",
        ),
    ] = None
    translation: Annotated[
        TranslationFn[RaitoAsset] | None,
        TranslationFnResolver[RaitoAsset](lambda asset: {"asset": asset}),
        Field(description="How its assets are called and shown: key, key_prefix, group_name, owners, tags, kinds, ..."),
    ] = None

    _folders: tuple[Path, ...] = PrivateAttr(())
    """where its configuration may be: its folder, and that of the project; none where no YAML declares it"""

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """The component that a `defs.yaml` declares."""
        component = super().load(attributes, context)
        component._folders = _folders(context)
        return component

    @property
    def file(self) -> Path | None:
        """Its configuration, where that is there and the component was loaded of a `defs.yaml`."""
        return next((place for place in self._places(self._folders) if place.is_file()), None)

    def naming(self, options: Options) -> Naming:
        """What everything of its configuration is called. For a component that was loaded of a `defs.yaml`."""
        return self._naming(options, self._name(self._folders[0]))

    def get_asset_spec(self, asset: RaitoAsset) -> dg.AssetSpec:
        """The spec of an asset: how it is called (its key) and shown (group, owners, tags, kinds, description, ...).

        `asset.spec` is what it is without a translation. A subclass changes it: its partitions and the assets that it
        is made of stay, whatever is returned.
        """
        return asset.spec if self.translation is None else self.translation(asset.spec, asset)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The definitions of the `raito.yml`.

        Raises `ConfigError` for one with problems, and where the file that `raito_yml` names is not there.
        """
        folders = _folders(context)
        options = self._options(folders)
        for warning in options.warnings:
            dg.get_dagster_logger().warning(str(warning))
        return self.definitions(options, self._name(folders[0]))

    def _name(self, folder: Path) -> str:
        return re.sub(r"[^A-Za-z0-9_]", "_", folder.name) if self.name is None else self.name

    def _places(self, folders: Sequence[Path]) -> list[Path]:
        return list(dict.fromkeys(folder / (self.raito_yml or RAITO_YML) for folder in folders))

    def _options(self, folders: Sequence[Path]) -> Options:
        address = s3_address(self.raito_yml)
        if address is not None:
            return load_configuration(address)
        places = self._places(folders)
        file = next((place for place in places if place.is_file()), None)
        if file is not None:
            return load(file)
        wanted = f"one of {', '.join(map(str, places))}"
        missing = ConfigError([Problem(self.raito_yml or RAITO_YML, None, None, None, "no such file", wanted)])
        if self.raito_yml is not None:
            raise missing
        return no_accounts(missing)

    def definitions(self, options: Options, name: str = "", services: Services | None = None) -> dg.Definitions:
        """The definitions of a configuration under a name. Pure: nothing is contacted."""
        return build_definitions(options, services, self._naming(options, name))

    def _naming(self, options: Options, name: str) -> Naming:
        overridden = type(self).get_asset_spec is not RaitoAwsComponent.get_asset_spec
        translate = self._translate if self.translation is not None or overridden else None
        return naming_of(options, name, translate)

    def _translate(self, plain: dg.AssetSpec, named: dg.AssetSpec) -> dg.AssetSpec:
        return self.get_asset_spec(RaitoAsset(plain.key.to_user_string(), plain.group_name or "", named))


def _folders(context: dg.ComponentLoadContext) -> tuple[Path, ...]:
    folder = context.path if context.path.is_dir() else context.path.parent
    return (folder, context.project_root)


def build_definitions(
    options: Options, services: Services | None = None, naming: Naming | None = None
) -> dg.Definitions:
    """The definitions of a configuration. Pure: nothing is contacted.

    They name no executor: that is the matter of the project that they are part of.
    """
    grid = make_grid(options, naming)
    # Runs of Dagster log their progress; a command shows it itself.
    kept = services or Services(options, RunProgress())
    automation = build_automation(options, grid)
    resources = {SERVICES: kept, SYNC_RUN: sync_run(kept, grid), RAITO_JOBS: raito_jobs(kept, grid)}
    return dg.Definitions(
        assets=assets.build(grid, options),
        resources={grid.naming.resource(plain): resource for plain, resource in resources.items()},
        jobs=automation.jobs,
        schedules=automation.schedules,
        sensors=automation.sensors,
    )


def naming_of(options: Options, component: str, translate: Translate | None = None) -> Naming:
    """What everything of a configuration is called in a project, under the name of a component ("" = none)."""
    return translated(component, _plain_specs(options), translate)


def _plain_specs(options: Options) -> Iterator[dg.AssetSpec]:
    """The specs of all assets under their plain names; nothing is built before the first one is asked for."""
    for asset in assets.build(make_grid(options), options):
        yield from asset.specs if isinstance(asset, dg.AssetsDefinition) else [asset]


def no_accounts(missing: ConfigError) -> Options:
    """The options where there is no `raito.yml` yet: `missing`, which says so, becomes a warning."""
    dg.get_dagster_logger().warning(f"{missing}\nNo accounts are shown until there is one.")
    return Options(file="", pipeline=Pipeline(storage="data"))
