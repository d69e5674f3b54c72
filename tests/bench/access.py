"""Reading IAM of a large account both ways, matching ten thousand statements, and working out who reaches what."""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.policy import Scope, read_document, what_of
from raito_pipeline.aws.policy.resources import BucketResource
from raito_pipeline.aws.readers.iam import EarlierIam, read_account
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.sandbox.aws.accounts import iam_of, install_access_key
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws_profile import write_profile
from tests.bench import effective_work as effective
from tests.bench.figure import Figure
from tests.bench.patterns_work import PATTERNS
from tests.bench.process import work

ACCOUNT, KEY = "111122223333", "AKIABENCHBENCHBENCH0"
USERS, GROUPS, ROLES, POLICIES = 500, 50, 500, 300
LATENCY = 0.03
STATEMENTS = 10_000


def figures() -> Iterator[Figure]:
    """All figures of access, measured one after the other."""
    yield from _reading()
    yield _matching()
    yield from _working_out()
    yield from (_denying(buckets) for buckets in (75, 150, 300))
    yield from _patterns()


def _reading() -> Iterator[Figure]:
    with EmulatedAws(latency_seconds=LATENCY) as aws, tempfile.TemporaryDirectory() as folder:
        seed_account()
        clients = _clients(aws.endpoint_url, Path(folder))
        first, first_calls, first_seconds = _read(clients, EarlierIam())
        _, second_calls, _ = _read(clients, EarlierIam(policies=first))
        aws.faults.add(Fault(kind="deny", service="iam", operation="GetAccountAuthorizationDetails"))
        _, listed_calls, listed_seconds = _read(clients, EarlierIam())
    size = f"{USERS} users, {GROUPS} groups, {ROLES} roles, {POLICIES} policies"
    yield Figure(f"IAM calls, {size}", str(first_calls), f"<= {2 + POLICIES}")
    yield Figure("IAM calls, second sync", str(second_calls), "<= 10")
    yield Figure("IAM calls by list and get", str(listed_calls), "<= 3,700")
    ratio = first_seconds / listed_seconds
    yield Figure("time of the first way / by list and get", f"{ratio:.3f} (30 ms a call)", "<= 0.125")


def seed_account() -> None:
    install_access_key(ACCOUNT, KEY, "not-a-secret")
    iam = iam_of(ACCOUNT)
    document = json.dumps(_document("s3:GetObject"))
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    arns = [iam.create_policy("", "/", document, f"p{n}", []).arn for n in range(POLICIES)]
    for number in range(USERS):
        iam.create_user("us-east-1", f"u{number}", "/", [])
        iam.attach_user_policy(arns[number % POLICIES], f"u{number}")
    for number in range(GROUPS):
        iam.create_group(f"g{number}")
    for number in range(ROLES):
        iam.create_role(f"r{number}", trust, "/", None, "", [], "3600")
        iam.put_role_policy(f"r{number}", "own", document)


def _document(action: str) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def _clients(url: str, folder: Path) -> AwsClients:
    os.environ.update(write_profile(folder, url, "bench", key=KEY))
    return AwsClients("bench", concurrency=5)


def _read(clients: AwsClients, earlier: EarlierIam) -> tuple[tuple, int, float]:  # type: ignore[type-arg]
    before, began = sum(clients.calls.values()), time.monotonic()
    read = read_account(clients, IamOptions(), earlier=earlier)
    return tuple(read.policies.rows), sum(clients.calls.values()) - before, time.monotonic() - began


def _matching() -> Figure:
    scope = Scope("aws", tuple(BucketResource.of_bucket(f"bucket-{n}") for n in range(50)))
    statements = [
        {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": f"arn:aws:s3:::bucket-{n % 50}/{n}/*"}
        for n in range(STATEMENTS)
    ]
    document = read_document(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    began = time.process_time()
    claims = what_of([("p", document)], scope).claims
    assert claims
    return Figure(
        f"CPU seconds to match {STATEMENTS:,} statements with 50 buckets",
        f"{time.process_time() - began:.1f}",
        "seconds",
    )


def _denying(buckets: int) -> Figure:
    """An account-wide grant, and a Deny for each bucket: of half of them whole, of the others a folder."""
    scope = Scope("aws", tuple(BucketResource.of_bucket(f"bucket-{n}") for n in range(buckets)))
    denied = (
        [f"arn:aws:s3:::bucket-{n}", f"arn:aws:s3:::bucket-{n}/{'a/*' if n % 2 else '*'}"] for n in range(buckets)
    )
    statements: list[dict[str, object]] = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
    statements += [{"Effect": "Deny", "Action": "s3:*", "Resource": resources} for resources in denied]
    document = read_document(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    began = time.process_time()
    assert what_of([("p", document)], scope).claims
    return Figure(
        f"CPU seconds for all of S3 less a Deny on each of {buckets} buckets",
        f"{time.process_time() - began:.2f}",
        "grows as the buckets do",
    )


def _working_out() -> Iterator[Figure]:
    """The tables of the access of a large account, each in a process of its own."""
    size = (
        f"{effective.USERS} users, {effective.ROLES} roles, {effective.POLICIES} policies, {effective.BUCKETS} "
        f"buckets, {effective.PEOPLE:,} people"
    )
    for table, goal in (("access_providers", "seconds"), ("effective_access", "<= 120 s and 500 MB")):
        with tempfile.TemporaryDirectory() as folder:
            took = work("tests.bench.effective_work", table, folder)
        yield Figure(
            f"CPU and peak memory of {table}, {size}",
            f"{took['cpu']:.0f} s, {took['peak']:.0f} MB; {took['rows']:,} rows in {took['bytes'] / 2**20:.1f} MB",
            goal,
        )


def _patterns() -> Iterator[Figure]:
    """Patterns of keys among a million keys, each lookup in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        keys = work("tests.bench.patterns_work", "write", folder)["rows"]
        for name, patterns in PATTERNS.items():
            took = work("tests.bench.patterns_work", name, folder)
            yield Figure(
                f"CPU and peak memory of {len(patterns)} patterns of keys ({name}) among {keys:,} data objects",
                f"{took['cpu']:.1f} s, {took['peak']:.0f} MB",
                "seconds",
            )
