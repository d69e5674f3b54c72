"""How everything of one configuration is called in the Dagster project that it is part of.

The tables, stages and jobs of a sync have plain names (`iam_users`, `account_iam`, `sync_account`). A component in
somebody's project puts its name before them and lets a translation change the assets, so that it meets neither another
component nor what else is there. Whoever goes from a table to its asset, or back, asks here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import dagster as dg

TABLE_METADATA = "raito/table"
"""Metadata of each asset: the table, or the place outside, that it stands for."""
COMPONENT_TAG = "raito/component"
"""Tag of each run of a component that has a name, so that each looks at its own syncs only."""
Translate = Callable[[dg.AssetSpec, dg.AssetSpec], dg.AssetSpec]
"""Gives the spec of an asset from the plain one and from that under the name of the component."""
_SHOWN = ("key", "group_name", "owners", "kinds", "description", "code_version", "automation_condition")
"""What a translation may change of an asset, besides its tags and metadata, to which it adds."""
_KIND = "dagster/kind/"


@dataclass(frozen=True)
class Naming:
    """The names of one configuration. `component` is the name of its component; "" = everything has its plain name.

    `translated` holds the specs as a translation gave them, by table.
    """

    component: str = ""
    translated: Mapping[str, dg.AssetSpec] = field(default_factory=dict)

    def of(self, plain: str) -> str:
        """The name of a job, sensor, schedule, step or group: `raito_eu_sync_account`."""
        return f"{self.component}_{plain}" if self.component else plain

    def resource(self, plain: str) -> str:
        """The key of a resource. It never is the plain word: a project may well have `services` of its own."""
        return f"{self.component or 'raito'}_{plain}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every run."""
        return {COMPONENT_TAG: self.component} if self.component else {}

    def key(self, table: str) -> dg.AssetKey:
        """The asset of a table, or of a place outside."""
        spec = self.translated.get(table)
        return dg.AssetKey(table) if spec is None else spec.key

    def table(self, key: dg.AssetKey) -> str:
        """The table of an asset; the asset's own name where it stands for none."""
        return self._tables.get(key) or key.to_user_string()

    @cached_property
    def _tables(self) -> Mapping[dg.AssetKey, str]:
        return {spec.key: table for table, spec in self.translated.items()}

    def spec(self, plain: dg.AssetSpec) -> dg.AssetSpec:
        """The spec of an asset as it is called here, from the one with plain names.

        A translation changes how an asset is called and shown. What a sync rests on stays: its partitions, and the
        assets that it is made of, to which a translation can add others.
        """
        table, own = plain.key.to_user_string(), {dep.asset_key for dep in plain.deps}
        deps = [dg.AssetDep(self._dep(dep.asset_key), partition_mapping=dep.partition_mapping) for dep in plain.deps]
        named = plain.replace_attributes(deps=deps).merge_attributes(metadata={TABLE_METADATA: table})
        spec = self.translated.get(table)
        if spec is None:
            return named
        added = [dep for dep in spec.deps if dep.asset_key not in own]
        return named.replace_attributes(
            **{name: getattr(spec, name) for name in _SHOWN},
            freshness_policy=spec.freshness_policy or named.freshness_policy,
            tags={name: value for name, value in spec.tags.items() if not name.startswith(_KIND)},
            deps=[*deps, *added],
            metadata={**spec.metadata, **named.metadata},
        )

    def _dep(self, key: dg.AssetKey) -> dg.AssetKey:
        return self.key(key.to_user_string())


def translated(component: str, plain: Iterable[dg.AssetSpec], translate: Translate | None) -> Naming:
    """The names of a component, from the plain specs of all its assets and places outside.

    Without `translate`, an asset is called by the name of the component and its own.
    """
    if not component and translate is None:
        return Naming()
    specs = {}
    for spec in plain:
        named = _under(component, spec)
        specs[spec.key.to_user_string()] = named if translate is None else translate(spec, named)
    return Naming(component, specs)


def _under(component: str, spec: dg.AssetSpec) -> dg.AssetSpec:
    if not component:
        return spec
    group = f"{component}_{spec.group_name}" if spec.group_name else None
    return spec.replace_attributes(key=spec.key.with_prefix(component), group_name=group)
