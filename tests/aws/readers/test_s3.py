"""The buckets of an account and their keys, over the wire."""

import time
from itertools import cycle
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError, AwsUnreachable
from raito_pipeline.aws.readers.s3 import S3Keys, bucket_region, read_buckets
from raito_pipeline.config.groups import S3Options
from raito_pipeline.model import Tag
from raito_pipeline.sandbox.aws.faults import Fault, Kind
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage.cells import ReadStatus

from .test_s3_listing import Raw

NAMES = ("alive", "ghost", "other")


@pytest.fixture
def clients(emulated_aws: EmulatedAws) -> AwsClients:
    clients = AwsClients("there", attempts=1)
    s3 = clients.client("s3")
    for name in NAMES:
        s3.create_bucket(Bucket=name)
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "team", "Value": name}]})
    emulated_aws.calls.reset()
    return clients


def no_such_bucket(**where: Any) -> Fault:
    return Fault(kind="error", status=404, code="NoSuchBucket", service="s3", resource="/ghost", **where)


def test_a_bucket_that_is_gone_although_listed_is_no_problem(emulated_aws: EmulatedAws, clients: AwsClients) -> None:
    """https://github.com/guardian/prism/issues/52: for hours after a deletion."""
    emulated_aws.faults.add(no_such_bucket())
    read = read_buckets(clients, S3Options())
    assert read.status is ReadStatus.COMPLETE
    assert [row.name for row in read.rows] == ["alive", "other"]


def test_a_bucket_that_goes_before_its_keys_are_listed_is_empty(emulated_aws: EmulatedAws, clients: AwsClients) -> None:
    emulated_aws.faults.add(no_such_bucket(operation="ListObjectsV2"))
    page = S3Keys(clients, "us-east-1").page("ghost")
    assert (page.problem, page.keys, page.token) == (None, (), None)


KINDS: tuple[Kind, ...] = ("deny", "throttle", "error", "page")


@pytest.mark.parametrize("kind", KINDS)
def test_tags_that_cannot_be_read_are_as_before_and_the_read_says_so(
    emulated_aws: EmulatedAws, clients: AwsClients, kind: Kind
) -> None:
    before = read_buckets(clients, S3Options())
    assert [row.tags for row in before.rows] == [(Tag("team", name),) for name in NAMES]
    emulated_aws.faults.add(Fault(kind=kind, operation="GetBucketTagging"))

    read = read_buckets(clients, S3Options(), earlier=before.rows)
    assert read.rows == before.rows
    assert read.status is ReadStatus.PARTIAL
    (line,) = read.problems
    assert "as the previous sync stored them" in line
    assert "The same for 2 more" in line
    assert ("Grant s3:GetBucketTagging" in line) == (kind == "deny")

    without = read_buckets(clients, S3Options())
    assert without.status is ReadStatus.PARTIAL
    assert [row.tags for row in without.rows] == [None, None, None]


ELSEWHERE = {
    # https://github.com/cloud-custodian/cloud-custodian/issues/9793, #8005: buckets of regions that are opted in to
    "InvalidToken": "is not enabled in account",
    "InvalidAccessKeyId": "is not enabled in account",
    "IllegalLocationConstraintException": "(IllegalLocationConstraintException)",
    "PermanentRedirect": "(PermanentRedirect)",
}


@pytest.mark.parametrize("code", ELSEWHERE)
def test_a_bucket_that_its_region_does_not_answer_for_keeps_no_other_from_being_read(
    emulated_aws: EmulatedAws, clients: AwsClients, code: str
) -> None:
    emulated_aws.faults.add(Fault(kind="error", status=400, code=code, service="s3", resource="/ghost"))
    read = read_buckets(clients, S3Options())
    assert read.status is ReadStatus.PARTIAL
    assert [(row.name, row.tags is None) for row in read.rows] == [("alive", False), ("ghost", True), ("other", False)]
    for line in (*read.problems, S3Keys(clients, "us-east-1").page("ghost").problem):
        assert ELSEWHERE[code] in line


def test_a_bucket_that_was_made_anew_has_no_tags_of_before(emulated_aws: EmulatedAws, clients: AwsClients) -> None:
    before = read_buckets(clients, S3Options())
    s3 = clients.client("s3")
    s3.delete_bucket(Bucket="alive")
    time.sleep(1.1)  # a creation date counts seconds
    s3.create_bucket(Bucket="alive")
    emulated_aws.faults.add(Fault(kind="deny", operation="GetBucketTagging"))
    again = read_buckets(clients, S3Options(), earlier=before.rows)
    assert [row.tags for row in again.rows] == [None, (Tag("team", "ghost"),), (Tag("team", "other"),)]


@pytest.mark.parametrize("kind", [*KINDS, "empty", "stub", "half", "drop", "truncate", "unavailable", "expired"])
def test_a_list_that_fails_leaves_the_reader(emulated_aws: EmulatedAws, clients: AwsClients, kind: Any) -> None:
    emulated_aws.faults.add(Fault(kind=kind, operation="ListBuckets"))
    with pytest.raises(AwsError):
        read_buckets(clients, S3Options())


def listed(buckets: str, token: str) -> bytes:
    following = f"<ContinuationToken>{token}</ContinuationToken>" if token else ""
    return f"<ListAllMyBucketsResult><Buckets>{buckets}</Buckets>{following}</ListAllMyBucketsResult>".encode()


def answer_lists(clients: AwsClients, *bodies: bytes) -> None:
    """The client, for which S3 answers one list of buckets after the other, and then begins again."""
    waiting = cycle(bodies)

    def answer(**_: Any) -> AWSResponse:
        return AWSResponse("https://s3", 200, {"content-type": "application/xml"}, Raw(next(waiting)))

    clients.client("s3").meta.events.register("before-send.s3.ListBuckets", answer)


def bucket(name: str, region: str = "us-east-1") -> str:
    return f"<Bucket><Name>{name}</Name><BucketRegion>{region}</BucketRegion></Bucket>"


def test_a_list_that_goes_in_a_circle_is_an_error_and_no_end(clients: AwsClients) -> None:
    answer_lists(clients, listed(bucket("alive"), "t1"), listed(bucket("ghost"), "t2"))
    with pytest.raises(AwsUnreachable, match="announced another page"):
        read_buckets(clients, S3Options())


def test_a_bucket_of_two_pages_is_there_once(clients: AwsClients) -> None:
    answer_lists(clients, listed(bucket("alive") + bucket("ghost"), "t"), listed(bucket("ghost") + bucket("other"), ""))
    assert [row.name for row in read_buckets(clients, S3Options()).rows] == list(NAMES)


def test_the_oldest_name_of_a_region_is_that_of_today(clients: AwsClients) -> None:
    answer_lists(clients, listed(bucket("alive", "EU"), ""))
    assert [row.region for row in read_buckets(clients, S3Options()).rows] == ["eu-west-1"]


@pytest.mark.parametrize("kind", ["page", "empty", "stub", "half"])
def test_keys_are_not_taken_from_what_is_no_listing(emulated_aws: EmulatedAws, clients: AwsClients, kind: Any) -> None:
    clients.client("s3").put_object(Bucket="alive", Key="a", Body=b"")
    keys = S3Keys(clients, "us-east-1")
    emulated_aws.faults.add(Fault(kind=kind, operation="ListObjectsV2"))
    assert "was not AWS" in (keys.page("alive").problem or "")
    emulated_aws.faults.clear()
    assert keys.page("alive").keys == ["a"]


def test_an_unreachable_error_names_the_arn_of_its_partition(emulated_aws: EmulatedAws, clients: AwsClients) -> None:
    emulated_aws.faults.add(Fault(kind="error", operation="GetBucketLocation"))
    chinese = AwsClients("there", "cn-north-1", attempts=1)
    for made, partition in ((clients, "aws"), (chinese, "aws-cn")):
        with pytest.raises(AwsUnreachable, match=f"arn:{partition}:s3:::alive"):
            bucket_region(made, "alive")
