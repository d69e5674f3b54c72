"""Access providers made of what was read, and why they are not whole where it was not."""

from raito_pipeline.model import AccessProvider
from raito_pipeline.storage import ReadStatus

from .conftest import ACCOUNT, BUCKET, OTHER_REGION, REGION, Stage
from .test_account_iam import TABLES


def read_all(stage: Stage) -> None:
    stage.make([*TABLES, "s3_buckets"])
    for region in (REGION, OTHER_REGION):
        stage.make(["data_objects", "access_points"], f"{ACCOUNT}|{region}")


def test_the_role_of_the_account_becomes_an_access_provider(stage: Stage) -> None:
    stage.options = "skip-identity-store-sync: true"  # nobody of the organization is needed then
    read_all(stage)

    assert stage.make(["access_providers"]) == ["access_providers"]

    (provider,) = [row for row in stage.store.rows(AccessProvider, ACCOUNT) if row.name == "reader"]
    assert provider.who_users == ("ann",)
    assert [(item.data_object.full_name, item.permissions) for item in provider.what] == [
        (f"{ACCOUNT}:{REGION}:{BUCKET}", ("s3:GetObject",))
    ]


def test_what_was_never_read_is_said(stage: Stage) -> None:
    stage.make(TABLES)

    stage.make(["access_providers"])

    info = stage.store.info("access_providers", ACCOUNT)
    assert info is None or info.status is ReadStatus.PARTIAL
    assert info is None or any("s3_buckets" in problem for problem in info.problems)
