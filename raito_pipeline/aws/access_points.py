"""Reading the S3 access points of one region, with their policies.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from raito_pipeline.aws.clients import AwsClients
from raito_pipeline.aws.errors import AwsDenied, AwsError, AwsGone, AwsOptedOut, grouped
from raito_pipeline.aws.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.reading import Progress, Read, no_progress, now, workers
from raito_pipeline.model import AccessPoint
from raito_pipeline.storage.cells import ReadStatus

_PAGE = 1000


def read_access_points(
    clients: AwsClients, account_id: str, region: str, concurrency: int, progress: Progress = no_progress
) -> Read[AccessPoint]:
    """The access points of an account in a region, sorted by ARN.

    Access points are an optional read: where a call is denied, the read is partial and its problems name the action
    and the ARN; an access point whose policy was denied is left out, since without it nothing true can be said of it.
    A region that the account has not enabled gives an opted-out read. Raises `AwsError` for every other failure.
    """
    began = now()
    try:
        return _read(
            Service(clients, "s3control", NEXT_TOKEN, region), account_id, region, concurrency, progress, began
        )
    except AwsError as error:
        told = clients.in_region(error, region)
        if isinstance(told, AwsOptedOut):
            return Read((), ReadStatus.OPTED_OUT, (str(told),), began)
        raise told from error


def _read(
    control: Service, account_id: str, region: str, concurrency: int, progress: Progress, began: Any
) -> Read[AccessPoint]:
    resource = f"arn:aws:s3:{region}:{account_id}:*"
    request = {"AccountId": account_id, "MaxResults": _PAGE}
    try:
        listed = control.items("ListAccessPoints", "AccessPointList", resource, **request)
    except AwsDenied as denied:
        return Read((), ReadStatus.PARTIAL, (f"access points of {region} were not read: {denied}",), began)
    with workers(concurrency) as pool:
        answers = pool.each(partial(_access_point, control, account_id), listed, "access points", progress)
    rows = [answer for answer in answers if isinstance(answer, AccessPoint)]
    unread = grouped(answer for answer in answers if isinstance(answer, AwsDenied))
    problems = [f"access points were left out, since their policies were not read: {line}" for line in unread]
    return Read.complete(sorted(rows, key=lambda row: row.arn), began).with_problems(problems)


def _access_point(control: Service, account_id: str, listed: Mapping[str, Any]) -> AccessPoint | AwsDenied | None:
    """An access point with its policy; why it was denied; or null where it was deleted since it was listed."""
    arn = listed["AccessPointArn"]
    policy: str | None = None
    try:
        answer = control.get("GetAccessPointPolicy", arn, AccountId=account_id, Name=listed["Name"])
        policy = answer.get("Policy") or None
    except AwsGone as gone:
        if gone.code != "NoSuchAccessPointPolicy":
            return None
    except AwsDenied as denied:
        return denied
    return AccessPoint(
        name=listed["Name"],
        arn=arn,
        alias=listed.get("Alias"),
        bucket=listed["Bucket"],
        bucket_account_id=listed.get("BucketAccountId"),
        policy=policy,
    )


def access_point_buckets(clients: AwsClients, account_id: str, regions: Iterable[str]) -> dict[str, str]:
    """The buckets behind the access points of an account in some regions, by ARN and by alias. Raises `AwsError`."""
    buckets: dict[str, str] = {}
    for region in sorted(set(regions)):
        control = Service(clients, "s3control", NEXT_TOKEN, region)
        resource = f"arn:{control.client.meta.partition}:s3:{region}:{account_id}:*"
        request = {"AccountId": account_id, "MaxResults": _PAGE}
        for listed in control.items("ListAccessPoints", "AccessPointList", resource, **request):
            buckets[listed["AccessPointArn"]] = listed["Bucket"]
            if listed.get("Alias"):
                buckets[listed["Alias"]] = listed["Bucket"]
    return buckets
