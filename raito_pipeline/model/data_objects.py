"""Rows of the data object stage."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from raito_pipeline.model.common import Tag
from raito_pipeline.model.tables import Layer, Outside, row


@row(
    "s3_buckets",
    by="account",
    key=("name",),
    layer=Layer.ACCOUNT,
    sources=(Outside.AWS_S3,),
)
class S3Bucket:
    """Every bucket of the account, also those of regions or patterns that `raito.yml` leaves out."""

    name: Annotated[str, "bucket name"]
    region: Annotated[str | None, "region of the bucket; null where the location could not be read"]
    create_date: Annotated[datetime | None, "when it was created"]
    included: Annotated[bool, "true where the include and exclude lists of `raito.yml` keep it"]
    tags: Annotated[tuple[Tag, ...] | None, "tags, sorted by key; null where they were not read"]

    def is_data_object(self, regions: Collection[str]) -> bool:
        """True where its region is known and one of those that are read (none = all), and nothing leaves it out."""
        return self.included and self.region is not None and (not regions or self.region in regions)


@row(
    "s3_bucket_policies",
    by="account",
    key=("bucket",),
    layer=Layer.ACCOUNT,
    sources=(Outside.AWS_S3,),
    after=("s3_buckets",),
    may_be_partial=True,
)
class S3BucketPolicy:
    """What the buckets that are data objects say themselves of who may use them: one row a bucket.

    `public_access_block`, `account_public_access_block` and `acls_off` are asked for where the policy allows something
    to somebody: elsewhere nothing depends on them.
    """

    bucket: Annotated[str, "bucket name"]
    create_date: Annotated[datetime | None, "when the bucket was created"]
    policy: Annotated[str | None, "bucket policy as JSON text, null where it has none or it was not read"]
    policy_read: Annotated[bool, "false where the policy was never read: there may be one"]
    public_access_block: Annotated[
        tuple[str, ...] | None,
        "settings that are on in the public access block of the bucket, such as `RestrictPublicBuckets`, sorted; null "
        "where they were not asked for or not read",
    ]
    account_public_access_block: Annotated[
        tuple[str, ...] | None, "the same of the account, which count for each of its buckets"
    ]
    acls_off: Annotated[
        bool | None, "true where ACLs count for nothing (`BucketOwnerEnforced`); null where not asked for or not read"
    ]


@row(
    "data_objects",
    by="account_region",
    key=("full_name",),
    layer=Layer.REGIONS,
    sources=(Outside.AWS_S3, Outside.AWS_GLUE),
    reads=("s3_buckets",),
)
class DataObject:
    """Buckets, folders and files, or Glue tables and columns. Parents precede their children."""

    full_name: Annotated[str, "`ACCOUNT:REGION:BUCKET/path`, the full name and external id in Raito Cloud"]
    name: Annotated[str, "last part of the path"]
    type: Annotated[str, "`bucket`, `folder`, `file`, `glue-table` or `column`"]
    parent_full_name: Annotated[str, "full name of the parent; the account id for a bucket"]
    description: Annotated[str, "description, empty where there is none"]
    data_type: Annotated[str | None, "data type of a column"]
    tags: Annotated[tuple[Tag, ...] | None, "tags (bucket tags, Glue parameters), sorted by key"]
