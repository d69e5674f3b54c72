"""Rows of the usage stage: which CloudTrail log files were read, and what they say."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from raito_pipeline.model.access import DataObjectReference
from raito_pipeline.model.schema import IfMissing
from raito_pipeline.model.tables import Layer, Outside, row


@row(
    "cloudtrail_files",
    by="account_region",
    key=("key",),
    layer=Layer.REGIONS,
    sources=(Outside.AWS_CLOUDTRAIL,),
    reads=("data_objects", "s3_buckets", "org_users"),
)
class CloudTrailFile:
    """The manifest: every CloudTrail log file of the usage window, read once each."""

    key: Annotated[str, "key of the log file in the CloudTrail bucket"]
    etag: Annotated[
        str,
        "ETag of the version that was read; empty where the next sync reads the file again, `archived` of S3 Glacier",
    ]
    size: Annotated[int, "size in bytes, packed"]
    day: Annotated[str, "day of delivery, `YYYY-MM-DD`"]
    last_modified: Annotated[datetime, "when S3 received it"]
    read_at: Annotated[datetime, "when it was read"]
    records: Annotated[int, "CloudTrail records in it"]
    statements: Annotated[int, "usage statements made of them"]
    duplicates: Annotated[int, "records left out because their event id was known already"]
    skipped: Annotated[int, "records that are no S3 data event or touch no known data object"]
    broken: Annotated[int, "records without the fields that a statement needs"]
    problem: Annotated[str | None, "why the file could not be read (whole); null = it was"]


@dataclass(frozen=True, slots=True)
class AccessedObject:
    """A data object that an event touched."""

    data_object: Annotated[DataObjectReference, "data object"]
    permissions: Annotated[tuple[str, ...], "permissions that the event needed on it"]
    global_permission: Annotated[
        str | None,
        "`read`, `write` or `admin` where it is not that of the statement: of what a copy reads; null = the same",
        IfMissing(None),
    ] = None


@row(
    "usage_statements",
    by="account_region",
    key=("external_id",),
    layer=Layer.REGIONS,
    sources=(Outside.AWS_CLOUDTRAIL,),
    reads=("data_objects", "s3_buckets", "org_users"),
)
class UsageStatement:
    """One S3 data event that touched known data objects."""

    external_id: Annotated[str, "CloudTrail event id"]
    file_key: Annotated[str, "log file that it was read from"]
    accessed: Annotated[tuple[AccessedObject, ...], "data objects with the permissions that the event needed"]
    global_permission: Annotated[str, "`read`, `write` or `admin`"]
    user: Annotated[str, "user name, `root`, a service, or an ARN"]
    role: Annotated[str | None, "name of the role that was assumed"]
    success: Annotated[bool, "false where AWS refused or failed the call"]
    status: Annotated[str | None, "error code of a failed call"]
    error: Annotated[str | None, "error message of a failed call"]
    start_time: Annotated[int, "time of the event, Unix seconds"]
    bytes: Annotated[int, "bytes transferred in and out"]


@row(
    "usage_uploaded",
    by="account",
    key=("file_key",),
    layer=Layer.FINISH,
    reads=("data_usage_import",),
    remembered_for="data_usage_import",
)
class UsageUploaded:
    """Log files whose statements Raito Cloud has taken over: they are not sent again."""

    file_key: Annotated[str, "key of the log file in the CloudTrail bucket"]
    etag: Annotated[str, "ETag of the version that was read; another version of the file is sent again"]
    job_id: Annotated[str, "job in Raito Cloud whose import was the last to hold statements of the file"]
    noted_at: Annotated[datetime, "when the import had succeeded"]
