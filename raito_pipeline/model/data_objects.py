"""Rows of the data object stage."""

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
