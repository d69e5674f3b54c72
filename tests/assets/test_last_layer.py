"""The last layer in one step: a table that fails takes only those along that cannot do without it."""

from raito_pipeline.sandbox.raito.faults import CloudFault

from .conftest import ACCOUNT, Stage
from .test_account_iam import TABLES


def test_an_import_that_fails_does_not_stop_the_others(stage: Stage) -> None:
    stage.make([*TABLES, "s3_buckets", "s3_bucket_policies"])
    stage.servers.raito.add_fault(CloudFault(on="import:identities", outcome="FAILED", message="no room"))

    made = stage.make(["access_providers", "identity_store_import", "access_provider_import"])

    assert stage.failure.startswith(f"identity_store_import {ACCOUNT}: ")
    assert "no room" in stage.failure
    assert "identity_store_import" not in made
    assert "access_providers" in made
    assert "access_provider_import" in made
    assert stage.store.info("identity_store_import", ACCOUNT) is None
