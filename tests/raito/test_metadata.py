"""What Raito Cloud is told of a store or data source before it is filled."""

from typing import Any

from raito_pipeline.aws.policy.permissions import Permission
from raito_pipeline.raito.metadata import data_source_metadata, description, identity_store_metadata

READ = Permission("s3:GetObject", "read", "read", True, True, False, True, False)
ADMIN = Permission("s3:PutBucketPolicy", "write", "admin", False, False, True, False, False)


def by_name(content: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each for each in content["dataObjectTypes"]}


def names(each: dict[str, Any]) -> list[str]:
    return [permission["permission"] for permission in each["permissions"]]


def test_an_organization_is_the_master_of_identities() -> None:
    assert identity_store_metadata(organization=True) == {
        "type": "aws-organization",
        "icon": None,
        "canBeLinked": True,
        "canBeMaster": True,
    }
    account = identity_store_metadata(organization=False)
    assert (account["type"], account["canBeLinked"], account["canBeMaster"]) == ("aws-account", False, False)


def test_files_lie_in_folders_in_buckets_in_the_account() -> None:
    types = by_name(data_source_metadata([READ, ADMIN], [], glue=False, organization=False))

    assert {name: each.get("children", []) for name, each in types.items()} == {
        "datasource": ["bucket"],
        "bucket": ["folder", "file"],
        "folder": ["folder", "file"],
        "file": [],
    }
    # what is of a bucket as a whole cannot be granted on what lies in it
    assert {name: names(each) for name, each in types.items()} == {
        "datasource": ["s3:GetObject", "s3:PutBucketPolicy"],
        "bucket": ["s3:GetObject", "s3:PutBucketPolicy"],
        "folder": ["s3:GetObject"],
        "file": ["s3:GetObject"],
    }


def test_in_glue_mode_tables_and_columns_stand_for_files() -> None:
    content = data_source_metadata([READ, ADMIN], [], glue=True, organization=False)
    types = by_name(content)

    assert types["bucket"]["children"] == types["folder"]["children"] == ["folder", "glue-table"]
    assert (types["glue-table"]["type"], types["glue-table"]["children"]) == ("table", ["column"])
    assert names(types["glue-table"]) == ["s3:GetObject"]
    assert names(types["column"]) == []
    levels = content["usageMetaInfo"]
    assert (levels["defaultLevel"], levels["levels"][0]["dataObjectTypes"]) == ("glue-table", ["glue-table", "folder"])


def test_a_permission_says_what_it_counts_as() -> None:
    read, admin = by_name(data_source_metadata([READ, ADMIN], [], glue=False, organization=False))["bucket"][
        "permissions"
    ]

    assert (read["globalPermissions"], read["usageGlobalPermissions"]) == (["admin", "read", "write"], ["read"])
    assert (admin["globalPermissions"], admin["usageGlobalPermissions"]) == (["admin", "write"], ["admin"])


def test_descriptions_are_those_of_aws() -> None:
    assert "retrieve objects" in description("s3:GetObject")
    assert description("s3:getobject") == description("s3:GetObject")
    assert description("s3:NoSuchAction") == ""
