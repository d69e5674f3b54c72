"""Where the logs of an account lie in their bucket, over the wire: layouts, crowded buckets, what may not be listed."""

from datetime import date

import pytest
from moto.s3.models import s3_backends

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied, AwsUnreachable
from raito_pipeline.aws.readers import trail_folders
from raito_pipeline.aws.readers.cloudtrail import CloudTrailLogs
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws

ACCOUNT, REGION, ORG = "999911112222", "eu-west-1", "o-abcde12345"
FILE = f"{ACCOUNT}/CloudTrail/{REGION}/2026/03/19/x.json.gz"
NOISE = [
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/19/x.json.gz", f"AWSLogs/{ACCOUNT}/Config/eu-west-1/x.gz",
    f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/03/19/x.json.gz", f"elsewhere/{ACCOUNT}/CloudTrail/x.json.gz",
    f"AWSLogs/{ORG}/111122223333/CloudTrail/eu-west-1/2026/03/19/x.json.gz", f"AWSLogs/o-nope/{FILE}",
]  # fmt: skip
CROWD = [f"{n:04d}/data.csv" for n in range(1_100)]
LAYOUTS: dict[str, tuple[list[str], list[str]]] = {
    "at the top": (["AWSLogs/"], []),
    "below a prefix": (["trail/AWSLogs/"], []),
    "below a prefix of eight levels": (["a/b/c/d/e/f/g/h/AWSLogs/"], []),
    "below a prefix of that name": (["AWSLogs/AWSLogs/"], []),
    "of an organization": ([f"AWSLogs/{ORG}/"], []),
    "of an organization below a prefix": ([f"audit/logs/AWSLogs/{ORG}/"], []),
    "below the organization, as Control Tower has it": ([f"{ORG}/AWSLogs/"], []),
    "several trails": (["AWSLogs/", f"AWSLogs/{ORG}/", "AWSLogs/o-zzzzz12345/", "data-events/AWSLogs/"], []),
    "beside a thousand accounts": (
        ["AWSLogs/"], [f"AWSLogs/{100000000000 + n}/CloudTrail/eu-west-1/x.json.gz" for n in range(1_100)],
    ),
    "in a crowded bucket": (["AWSLogs/"], CROWD),
    "below a prefix of a crowded bucket": (["zz/AWSLogs/"], CROWD[:150]),
    "in a folder of many files": (["trail/AWSLogs/"], [f"trail/{n:04d}.csv" for n in range(1_100)]),
}  # fmt: skip


@pytest.fixture
def clients(emulated_aws: EmulatedAws) -> AwsClients:  # noqa: ARG001 - the clients reach it
    made = AwsClients("there", attempts=1)
    made.client("s3").create_bucket(Bucket="logs")
    return made


def put(*keys: str) -> None:
    for key in keys:
        s3_backends["111122223333"]["aws"].put_object("logs", key, b"x")


def logs(clients: AwsClients, *known: str) -> CloudTrailLogs:
    return CloudTrailLogs(clients, "logs", "us-east-1", ACCOUNT, REGION, known)


def keys(source: CloudTrailLogs) -> list[str]:
    return [file.key for file in source.files(date(2026, 3, 1), date(2026, 3, 20))]


@pytest.mark.parametrize("case", LAYOUTS)
def test_the_folders_of_the_account_are_found_whatever_else_lies_there(clients: AwsClients, case: str) -> None:
    layouts, others = LAYOUTS[case]
    put(*(layout + FILE for layout in layouts), *NOISE, *others)
    source = logs(clients)
    assert sorted(keys(source)) == sorted(layout + FILE for layout in layouts)
    assert sorted(source.layouts()) == sorted(layouts)
    assert source.missing() is None


def test_a_folder_below_too_many_is_asked_for_by_its_name(
    clients: AwsClients, emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail_folders, "_MOST_PAGES", 1)
    monkeypatch.setattr(trail_folders, "MOST_LISTINGS", 20)
    monkeypatch.setattr(trail_folders, "_AT_ONCE", 5)
    put("trail/AWSLogs/" + FILE, *(f"trail/{n:04d}/x" for n in range(1_100)), *CROWD)
    mark = emulated_aws.calls.mark
    assert keys(logs(clients)) == []
    assert len(emulated_aws.calls.since(mark)) < 30
    put("AWSLogs/" + FILE)
    assert keys(logs(clients)) == ["AWSLogs/" + FILE]


def test_a_new_folder_beside_a_known_one_takes_few_listings(clients: AwsClients, emulated_aws: EmulatedAws) -> None:
    put("trail/AWSLogs/" + FILE, *(f"{n:04d}/x" for n in range(50)))
    source = logs(clients, "trail/AWSLogs/")
    assert source.search(everywhere=False) == ()
    put(f"trail/AWSLogs/{ORG}/{FILE}")
    mark = emulated_aws.calls.mark
    assert source.search(everywhere=False) == (f"trail/AWSLogs/{ORG}/",)
    assert len(emulated_aws.calls.since(mark)) <= 5
    assert source.layouts() == ("trail/AWSLogs/", f"trail/AWSLogs/{ORG}/")
    put("other/AWSLogs/" + FILE)
    assert source.search(everywhere=True) == ("other/AWSLogs/",)


def test_where_nothing_is_found_the_places_are_named(clients: AwsClients) -> None:
    put(*NOISE)
    source = logs(clients)
    assert keys(source) == []
    missing = str(source.missing())
    assert f"no CloudTrail log of account {ACCOUNT} in the bucket logs" in missing
    for place in (f"s3://logs/AWSLogs/{ACCOUNT}/CloudTrail/", f"s3://logs/AWSLogs/{ORG}/{ACCOUNT}/CloudTrail/"):
        assert place in missing
    assert "the search ended" not in missing
    put("1/2/3/4/5/6/7/8/9/AWSLogs/" + FILE)
    source = logs(clients)
    assert keys(source) == []
    assert "the search ended" in str(source.missing())


def test_a_policy_may_permit_the_account_folder_alone(clients: AwsClients, emulated_aws: EmulatedAws) -> None:
    put("AWSLogs/" + FILE)
    emulated_aws.faults.add(Fault(kind="deny", service="s3", operation="ListObjectsV2", resource="delimiter="))
    assert keys(logs(clients)) == ["AWSLogs/" + FILE]


@pytest.mark.parametrize(("kind", "error"), [("deny", AwsDenied), ("error", AwsUnreachable)])
def test_a_search_that_failed_is_not_nothing_found(
    clients: AwsClients, emulated_aws: EmulatedAws, kind: str, error: type[Exception]
) -> None:
    put("trail/AWSLogs/" + FILE)
    emulated_aws.faults.add(Fault(kind=kind, service="s3", operation="ListObjectsV2", skip=2))  # type: ignore[arg-type]
    with pytest.raises(error):
        keys(logs(clients))
