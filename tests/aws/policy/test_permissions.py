"""The table of S3 permissions: what each reads or writes, and on which ARN AWS checks it."""

from raito_pipeline.aws.policy.permissions import permission, permissions


def test_each_permission_stands_once_and_reads_or_writes() -> None:
    names = [each.name for each in permissions()]

    assert len(names) == len(set(names)) > 50
    assert all(name.startswith("s3:") for name in names)
    assert {each.grants for each in permissions()} <= {"read", "write", "admin"}
    assert {each.usage for each in permissions()} <= {"read", "write", "admin"}


def test_where_aws_checks_a_permission() -> None:
    get, listing, policy = (permission(f"s3:{name}") for name in ("GetObject", "ListBucket", "PutBucketPolicy"))

    assert get is not None
    assert listing is not None
    assert policy is not None
    assert (get.on_object, get.on_bucket, get.object) == (True, False, True)
    assert (listing.on_object, listing.on_bucket, listing.by_prefix) == (False, True, True)
    assert (policy.on_bucket, policy.by_prefix, policy.grants) == (True, False, "write")


def test_a_name_that_the_table_does_not_have() -> None:
    assert permission("s3:getobject") is None
    assert permission("ec2:RunInstances") is None
