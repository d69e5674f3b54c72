"""How everything of a configuration is called: plainly, under the name of a component, or as a translation says."""

import dagster as dg

from raito_pipeline.orchestration.naming import Naming, translated

USERS = dg.AssetSpec("iam_users", group_name="account_iam", kinds={"iam"}, tags={"own": "1"})
PROVIDERS = dg.AssetSpec("access_providers", deps=["iam_users"], group_name="access")


def test_without_a_component_everything_has_its_plain_name() -> None:
    naming = translated("", [USERS, PROVIDERS], None)

    assert naming == Naming()
    assert naming.of("sync_account") == "sync_account"
    assert naming.key("iam_users") == dg.AssetKey("iam_users")
    assert naming.table(dg.AssetKey("iam_users")) == "iam_users"
    assert naming.tags == {}
    # `services` alone is what a project may well have of its own
    assert naming.resource("services") == "raito_services"
    assert naming.spec(USERS).metadata["raito/table"] == "iam_users"


def test_a_component_puts_its_name_before_everything() -> None:
    naming = translated("eu", [USERS, PROVIDERS], None)

    assert naming.of("sync_account") == "eu_sync_account"
    assert naming.resource("services") == "eu_services"
    assert naming.tags == {"raito/component": "eu"}
    assert naming.key("iam_users") == dg.AssetKey(["eu", "iam_users"])
    assert naming.table(dg.AssetKey(["eu", "iam_users"])) == "iam_users"
    assert naming.table(dg.AssetKey("somebody_elses")) == "somebody_elses"
    spec = naming.spec(PROVIDERS)
    assert (spec.key, spec.group_name) == (dg.AssetKey(["eu", "access_providers"]), "eu_access")
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey(["eu", "iam_users"])]


def test_a_translation_changes_how_an_asset_is_shown_and_not_what_it_stands_on() -> None:
    def translate(_plain: dg.AssetSpec, named: dg.AssetSpec) -> dg.AssetSpec:
        return named.replace_attributes(
            key=dg.AssetKey(["lake", named.key.path[-1]]),
            group_name="lake",
            owners=["team:data"],
            deps=["landing"],
            tags={"tier": "gold"},
            metadata={"raito/table": "forged", "cost": "north"},
            partitions_def=dg.StaticPartitionsDefinition(["other"]),
        )

    naming = translated("eu", [USERS, PROVIDERS], translate)
    spec = naming.spec(PROVIDERS)

    assert (spec.key, spec.group_name, list(spec.owners)) == (
        dg.AssetKey(["lake", "access_providers"]),
        "lake",
        ["team:data"],
    )
    # the tables that it is made of stay, under their new names; what the translation adds comes besides
    assert {dep.asset_key for dep in spec.deps} == {dg.AssetKey(["lake", "iam_users"]), dg.AssetKey("landing")}
    assert spec.partitions_def is None
    assert spec.metadata["raito/table"] == "access_providers"
    assert spec.metadata["cost"] == "north"
    assert spec.tags["tier"] == "gold"
