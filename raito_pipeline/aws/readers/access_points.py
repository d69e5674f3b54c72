"""Reading the S3 access points of one region, with their policies.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError, AwsGone, AwsOptedOut
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.reading import Progress, Read, UnreadElement, element_error, no_progress, now, workers
from raito_pipeline.model import AccessPoint

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
    then, or left out where it was not there yet, since without its policy nothing true can be said of it; the read is
    partial then. A region that the account has not enabled gives an opted-out read. Raises `AwsError` where the list
    fails.
    """
    began = now()
    try:
        control = Service(clients, "s3control", NEXT_TOKEN, region)
        return _read(control, account_id, region, concurrency, progress, began, {row.arn: row for row in earlier})
    except AwsError as error:
        meaning = clients.in_region(error, region)
        if isinstance(meaning, AwsOptedOut):
            return Read.opted_out(meaning, began)
        raise meaning from error


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
    return Read.complete(rows, began).without(unread for _, unread in answers if unread is not None)


def _access_point(
    control: Service, account_id: str, earlier: Mapping[str, AccessPoint], listed: Mapping[str, Any]
) -> tuple[AccessPoint | None, UnreadElement | None]:
    """An access point with its policy, and what was not read of it; null where it was deleted since it was listed."""
    arn = listed["AccessPointArn"]
    policy: str | None = None
    try:
        answer = control.get("GetAccessPointPolicy", arn, AccountId=account_id, Name=listed["Name"])
        policy = answer.get("Policy") or None
    except AwsGone as gone:
        if gone.code != "NoSuchAccessPointPolicy":
            return None, None
    except AwsError as error:
        before = earlier.get(arn)
        what = "policies of access points" if before else "policies of access points, which are left out,"
        return before, UnreadElement(what, arn, element_error(error), kept=before is not None)
    row = AccessPoint(
        name=listed["Name"],
        arn=arn,
        alias=listed.get("Alias"),
        bucket=listed["Bucket"],
        bucket_account_id=listed.get("BucketAccountId"),
        policy=policy,
    )
    return row, None


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
