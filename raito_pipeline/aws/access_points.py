"""Reading the S3 access points of one region, with their policies.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html
"""

from typing import Any

from raito_pipeline.aws.clients import AwsClients, aws_call
from raito_pipeline.aws.errors import AwsDenied, AwsGone, AwsOptedOut
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
        listed = _list(clients, account_id, region)
    except AwsOptedOut as opted_out:
        return Read((), ReadStatus.OPTED_OUT, (str(opted_out),), began)
    except AwsDenied as denied:
        return Read((), ReadStatus.PARTIAL, (f"access points of {region} were not read: {denied}",), began)
    with workers(concurrency) as pool:
        answers = pool.each(
            lambda answer: _access_point(clients, account_id, region, answer), listed, "access points", progress
        )
    rows = [answer for answer in answers if isinstance(answer, AccessPoint)]
    problems = [f"an access point was left out: {answer}" for answer in answers if isinstance(answer, AwsDenied)]
    return Read.complete(sorted(rows, key=lambda row: row.arn), began).with_problems(problems)


def _list(clients: AwsClients, account_id: str, region: str) -> list[Any]:
    request: dict[str, Any] = {"AccountId": account_id, "MaxResults": _PAGE}
    found: list[Any] = []
    while True:
        with aws_call("s3:ListAccessPoints", f"arn:aws:s3:{region}:{account_id}:*"):
            page = clients.client("s3control", region).list_access_points(**request)
        found += page.get("AccessPointList") or ()
        if not page.get("NextToken"):
            return found
        request["NextToken"] = page["NextToken"]


def _access_point(clients: AwsClients, account_id: str, region: str, answer: Any) -> AccessPoint | AwsDenied:
    arn = answer["AccessPointArn"]
    policy: str | None = None
    try:
        with aws_call("s3:GetAccessPointPolicy", arn):
            client = clients.client("s3control", region)
            policy = client.get_access_point_policy(AccountId=account_id, Name=answer["Name"]).get("Policy")
    except AwsGone:
        pass  # NoSuchAccessPointPolicy: it has none
    except AwsDenied as denied:
        return denied
    return AccessPoint(
        name=answer["Name"],
        arn=arn,
        alias=answer.get("Alias"),
        bucket=answer["Bucket"],
        bucket_account_id=answer.get("BucketAccountId"),
        policy=policy,
    )
