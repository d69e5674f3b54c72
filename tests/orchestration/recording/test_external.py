"""The graph begins at AWS and ends at Raito Cloud."""

import dagster as dg

from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import TABLES, Outside
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.recording.external import EXTERNAL, external_specs
from tests.orchestration.conftest import Loads

FOR_PEOPLE = {"access_basis", "access_push_orphans", "effective_access"}
"""What nothing but people reads."""


def test_every_asset_comes_from_outside_and_ends_in_raito_cloud(loads: Loads) -> None:
    definitions = build_definitions(loads())
    parents = {
        spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps}
        for spec in definitions.resolve_all_asset_specs()
    }
    children = {name: {other for other, found in parents.items() if name in found} for name in parents}

    roots = {name for name, found in parents.items() if not found}
    ends = {name for name, found in children.items() if not found}

    assert set(parents) == {*TABLES, *(external.name for external in EXTERNAL)}
    assert roots == {external.name for external in EXTERNAL} - {Outside.RAITO_CLOUD}
    # Notes for the next sync are read by a table of the next sync, which no graph can show.
    notes = {name for name, spec in TABLES.items() if spec.remembered_for}
    assert ends == {Outside.RAITO_CLOUD, *notes, *FOR_PEOPLE}


def test_external_assets_have_groups_descriptions_and_links(loads: Loads) -> None:
    for spec in external_specs(loads(), Naming()):
        links = [value.url for value in spec.metadata.values() if isinstance(value, dg.UrlMetadataValue)]
        assert spec.description, spec.key
        assert spec.group_name in ("aws", "raito_cloud_granted", "raito_cloud")
        assert links
        assert all(link.startswith("https://") for link in links)


def test_raito_cloud_is_linked_by_its_domain_or_by_the_address_that_stands_for_it(loads: Loads) -> None:
    def link(*options: str) -> str:
        specs = external_specs(loads(*options), Naming())
        spec = next(s for s in specs if s.key.to_user_string() == Outside.RAITO_CLOUD)
        return str(spec.metadata["Raito Cloud"].value)

    assert link() == "https://example.raito.cloud"
    assert link("raito-url-override: http://127.0.0.1:9000/") == "http://127.0.0.1:9000/"
