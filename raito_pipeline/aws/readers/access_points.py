"""Reading the S3 access points of one region, with their policies and tags.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError, AwsGone, AwsOptedOut
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.reading import (
    Progress,
    Read,
    UnreadElement,
    element_error,
    no_progress,
    now,
    tags_of,
    workers,
)
from raito_pipeline.model import AccessPoint, Tag

_PAGE = 1000


def read_access_points(
    clients: AwsClients,
    account_id: str,
    region: str,
    concurrency: int,
    progress: Progress = no_progress,
    *,
    earlier: Iterable[AccessPoint] = (),
) -> Read[AccessPoint]:
    """The access points of an account in a region, sorted by ARN.

    `earlier` is what the previous sync stored: an access point whose policy cannot be read now is given as it was
    then, or left out where it was not there yet, since without its policy nothing true can be said of it; tags that
    cannot be read are those of then, or null. The read is partial then. A region that the account has not enabled gives
    an opted-out read. Raises `AwsError` where the list fails.
    """
    began = now()
    try:
        control = Service(clients, "s3control", NEXT_TOKEN, region)
        return _read(control, account_id, region, concurrency, progress, began, {row.arn: row for row in earlier})
    except AwsOptedOut as error:
        return Read.opted_out(error, began)


def read_named_access_points(
    clients: AwsClients, account_id: str, arns: Iterable[str], concurrency: int
) -> Read[AccessPoint]:
    """Those of some access points that are there, by their ARNs and sorted by them: three calls each, and no list.

    One whose policy cannot be read is left out, and tags that cannot be read are null: the read is partial then. Raises
    `AwsError` where it cannot be known whether one is there.
    """
    began = now()
    with workers(concurrency) as pool:
        named = partial(_named, clients, account_id)
        answers = list(pool.each(named, sorted(set(arns)), "access points", no_progress))
    rows = sorted((row for row, _ in answers if row is not None), key=lambda row: row.arn)
    return Read.complete(rows, began).without(one for _, unread in answers for one in unread)


def _named(clients: AwsClients, account_id: str, arn: str) -> tuple[AccessPoint | None, tuple[UnreadElement, ...]]:
    control, name = Service(clients, "s3control", NEXT_TOKEN, arn.split(":")[3]), arn.rpartition("/")[2]
    try:
        there = control.get("GetAccessPoint", arn, AccountId=account_id, Name=name)
    except AwsGone:
        return None, ()
    return _access_point(control, account_id, {}, {**there, "AccessPointArn": arn})


def _read(
    control: Service,
    account_id: str,
    region: str,
    concurrency: int,
    progress: Progress,
    began: datetime,
    earlier: Mapping[str, AccessPoint],
) -> Read[AccessPoint]:
    resource = f"arn:{control.partition}:s3:{region}:{account_id}:*"
    request = {"AccountId": account_id, "MaxResults": _PAGE}
    listed = control.items("ListAccessPoints", "AccessPointList", resource, **request)
    with workers(concurrency) as pool:
        answers = pool.each(partial(_access_point, control, account_id, earlier), listed, "access points", progress)
    rows = sorted((row for row, _ in answers if row is not None), key=lambda row: row.arn)
    return Read.complete(rows, began).without(one for _, unread in answers for one in unread)


def _access_point(
    control: Service, account_id: str, earlier: Mapping[str, AccessPoint], listed: Mapping[str, Any]
) -> tuple[AccessPoint | None, tuple[UnreadElement, ...]]:
    """An access point with its policy and tags, and what was not read of it; null where it is deleted since then."""
    arn = listed["AccessPointArn"]
    policy: str | None = None
    try:
        answer = control.get("GetAccessPointPolicy", arn, AccountId=account_id, Name=listed["Name"])
        policy = answer.get("Policy") or None
    except AwsGone as gone:
        if gone.code != "NoSuchAccessPointPolicy":
            return None, ()
    except AwsError as error:
        before = earlier.get(arn)
        what = "policies of access points" if before else "policies of access points, which are left out,"
        return before, (UnreadElement(what, arn, element_error(error), kept=before is not None),)
    try:
        tags, unread = _tags(control, account_id, arn, earlier.get(arn))
    except AwsGone:
        return None, ()
    row = AccessPoint(
        name=listed["Name"],
        arn=arn,
        alias=listed.get("Alias"),
        bucket=listed["Bucket"],
        bucket_account_id=listed.get("BucketAccountId"),
        policy=policy,
        tags=tags,
        network_origin=listed.get("NetworkOrigin"),
        vpc_id=(listed.get("VpcConfiguration") or {}).get("VpcId"),
    )
    return row, unread


def _tags(
    control: Service, account_id: str, arn: str, before: AccessPoint | None
) -> tuple[tuple[Tag, ...] | None, tuple[UnreadElement, ...]]:
    """The tags of an access point, those of before or null where they cannot be read. Raises `AwsGone`."""
    try:
        return tags_of(control.get("ListTagsForResource", arn, AccountId=account_id, ResourceArn=arn)["Tags"]), ()
    except AwsGone:
        raise
    except AwsError as error:
        kept = before.tags if before is not None else None
        return kept, (UnreadElement("tags of access points", arn, element_error(error), kept=kept is not None),)


def access_point_buckets(clients: AwsClients, account_id: str, regions: Iterable[str]) -> dict[str, str]:
    """The buckets behind the access points of an account in some regions, by ARN and by alias. Raises `AwsError`."""
    buckets: dict[str, str] = {}
    for region in sorted(set(regions)):
        control = Service(clients, "s3control", NEXT_TOKEN, region)
        resource = f"arn:{control.partition}:s3:{region}:{account_id}:*"
        request = {"AccountId": account_id, "MaxResults": _PAGE}
        for listed in control.items("ListAccessPoints", "AccessPointList", resource, **request):
            buckets[listed["AccessPointArn"]] = listed["Bucket"]
            if listed.get("Alias"):
                buckets[listed["Alias"]] = listed["Bucket"]
    return buckets
