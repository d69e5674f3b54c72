"""A push of all four types into one account, and the same export once more: calls, seconds, CPU of the plan."""

import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.limits import shared_limits
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.center_state import CenterState, center_questions
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.apply import apply_plan
from raito_pipeline.aws.push.calls.bucket_policies import read_bucket_policies
from raito_pipeline.aws.push.calls.center_calls import Center
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.push.types.access_points import buckets_behind
from raito_pipeline.aws.readers.access_points import read_access_points
from raito_pipeline.aws.readers.iam import read_account
from raito_pipeline.aws.readers.push_center import CenterPlace, read_push_center
from raito_pipeline.aws.readers.s3 import read_buckets
from raito_pipeline.config.groups import IamOptions, S3Options
from raito_pipeline.model import AccessControl, WhatItem
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.identity_center import set_identity_center_home
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.push.center_push import CenterOptions
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.situations import granted, on, who
from tests.aws_profile import write_profile
from tests.bench.figure import Figure

ROLES, POLICIES, SETS, POINTS, USERS, PEOPLE = 300, 300, 100, 100, 60, 50
REGION, KEY, STORE = "eu-west-1", "AKIABENCHBENCHBENCH1", "d-9367000009"
INSTANCE = "arn:aws:sso:::instance/ssoins-6804000000000009"
CONCURRENCY = 5
_TYPES = ACCESS_PROVIDER_TYPES.push


@dataclass(frozen=True)
class PushCost:
    """What one push took."""

    controls: tuple[AccessControl, ...]
    """the export as Raito Cloud gives it after the feedback"""
    reading: int
    """calls before the plan"""
    center: int
    """of them those of Identity Center"""
    applying: int
    """calls of the changes"""
    writing: int
    """of them those that change something"""
    cpu: float
    """CPU seconds of the plan"""
    seconds: float
    """of reading, planning and changing"""


def figures() -> Iterator[Figure]:
    """All figures of a push, measured one after the other."""
    with EmulatedAws() as aws, tempfile.TemporaryDirectory() as folder:
        clients = _account(aws, Path(folder))
        first = _push(aws, clients, _export())
        second = _push(aws, clients, first.controls)
    size = f"{ROLES} roles, {POLICIES} policies, {SETS} permission sets, {POINTS} access points"
    yield Figure(f"first push, {size}", _in_words(first), "")
    yield Figure("second push of the same", _in_words(second), "0 writing calls")
    yield Figure("CPU seconds of a plan, first and second", f"{first.cpu:.1f}, {second.cpu:.1f}", "seconds")


def _in_words(cost: PushCost) -> str:
    return (
        f"{cost.reading} calls to read ({cost.center} of Identity Center), {cost.applying} to change ({cost.writing} "
        f"writing); {cost.seconds:.0f} s"
    )


# -- the account and the export ----------------------------------------------------------------------------------------


def _account(aws: EmulatedAws, folder: Path) -> AwsClients:
    """Users, people of Identity Center, and a bucket that delegates to access points."""
    install_access_key(ACCOUNT, KEY, "not-a-secret")
    set_identity_center_home(ACCOUNT, REGION, INSTANCE, STORE)
    os.environ.update(write_profile(folder, aws.endpoint_url, "bench", key=KEY))
    os.environ["AWS_ENDPOINT_URL_S3_CONTROL"] = aws.endpoint_url.replace("127.0.0.1", "localhost")
    clients = AwsClients("bench", concurrency=CONCURRENCY)
    iam, s3 = clients.client("iam"), clients.client("s3", REGION)
    for number in range(USERS):
        iam.create_user(UserName=f"u{number}")
    store = clients.client("identitystore", REGION)
    for number in range(PEOPLE):
        name = {"FamilyName": "n", "GivenName": "n"}
        store.create_user(IdentityStoreId=STORE, UserName=f"n{number}", DisplayName=f"n{number}", Name=name)
    s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": REGION})
    delegation = {
        "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"],
        "Condition": {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}},
    }  # fmt: skip
    s3.put_bucket_policy(Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": [delegation]}))
    return clients


def _export() -> tuple[AccessControl, ...]:
    """Each role has three users; each policy a role, and some of them a permission set; each access point a role."""
    found = [
        granted(f"r{n}", "aws_role", who(*(f"u{(n + m) % USERS}" for m in range(3))), what=_what(n))
        for n in range(ROLES)
    ]
    found += [
        granted(f"s{n}", "aws_sso_role", who(f"n{n % PEOPLE}", f"n{(n + 1) % PEOPLE}"), what=_what(n))
        for n in range(SETS)
    ]
    for n in range(POLICIES):
        entries = (f"ID:r{n}", f"ID:s{n}") if n < SETS // 5 else (f"ID:r{n}",)
        found.append(granted(f"p{n}", "aws_policy", who(*entries), what=_what(n, "s3:PutObject")))
    for n in range(POINTS):
        found.append(granted(f"point-{n}", "aws_access_point", who(f"u{n % USERS}", f"ID:r{n}"), what=_what(n)))
    return tuple(replace(each, position=position) for position, each in enumerate(found))


def _what(number: int, permission: str = "s3:GetObject") -> tuple[WhatItem, ...]:
    return (on(f"data/folder-{number}", permission, "s3:ListBucket"),)


# -- one push ----------------------------------------------------------------------------------------------------------


def _push(aws: EmulatedAws, clients: AwsClients, controls: Sequence[AccessControl]) -> PushCost:
    """Read, plan and change, as a sync does it. Raises where an access control has an error."""
    began, mark = time.monotonic(), aws.calls.mark
    options = CenterOptions()
    place = CenterPlace(REGION, INSTANCE, STORE, ACCOUNT)
    state = _state(clients, controls, options, place)
    planning, cpu = aws.calls.mark, time.process_time()
    plan = plan_push(controls, state, options, _TYPES, Bounds("source", buckets={"data": REGION}))
    cpu = time.process_time() - cpu
    center = Center(lambda: clients, place, {name: row.arn for name, row in state.center.sets.items()})
    applied = apply_plan(clients, ACCOUNT, _TYPES, plan.changes, plan.targets, controls, CONCURRENCY, center=center)
    results = {result.access_control_id: result for result in applied.results}
    errors = [error for result in applied.results for error in result.errors]
    if errors:
        raise RuntimeError(f"{len(errors)} errors in a push; the first: {errors[0]}")
    made = aws.calls.since(planning)
    read = aws.calls.since(mark)[: -len(made) or None]
    return PushCost(
        tuple(
            replace(each, external_id=results[each.id].external_id, actual_name=results[each.id].actual_name)
            for each in controls
        ),
        len(read),
        sum(call.service in ("sso", "sso-admin", "identitystore") for call in read),
        len(made),
        sum(call.writes for call in made),
        cpu,
        time.monotonic() - began,
    )


def _state(
    clients: AwsClients, controls: Sequence[AccessControl], options: CenterOptions, place: CenterPlace
) -> PushState:
    iam, buckets = read_account(clients, IamOptions()), tuple(read_buckets(clients, S3Options()).rows)
    rows = (iam.users.rows, iam.groups.rows, iam.roles.rows, iam.policies.rows, iam.attachments.rows)
    points = read_access_points(clients, ACCOUNT, REGION, CONCURRENCY).rows
    policies = read_bucket_policies(clients, buckets_behind(controls, {bucket.name: bucket for bucket in buckets}))
    questions = center_questions(controls, None)
    if questions is None:
        raise RuntimeError("the export has permission sets, and nothing is asked of Identity Center")
    read = read_push_center(clients, place, questions.permission_sets, questions.names, shared_limits())
    center = CenterState.of(read.permission_sets.rows, read.principals.rows, account_id=ACCOUNT)
    known = PointState.of(buckets, points, {REGION: None}, policies)
    inputs = AccessInputs(ACCOUNT, *rows, buckets, tuple(points))
    return PushState.of_account(inputs, options, {}, center, known)
