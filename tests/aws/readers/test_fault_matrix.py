"""Every reader, every operation that it uses, every fault: what could not be read is never taken for "nothing there".

The product is tried whole by `make matrix`; `make test` tries a sample, in which each operation meets what depends on
it, and each reader every fault; see `tries`.

A fault is met once, at the first call of an operation or at its last one (a later page or another element), or at every
call. Once: the read equals the one without fault, as the call is tried again, or the error leaves the reader, or the
read is partial with the rows of the previous sync. At every call: the same but for the first. Never is a read complete
that has fewer rows or other attributes.
"""

import ast
import gzip
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from moto.organizations.models import organizations_backends

from raito_pipeline.aws import readers
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.access_points import read_access_points, read_named_access_points
from raito_pipeline.aws.readers.bucket_policies import read_bucket_policies
from raito_pipeline.aws.readers.cloudtrail import CloudTrailLogs
from raito_pipeline.aws.readers.control_policies import EarlierControlPolicies, read_control_policies
from raito_pipeline.aws.readers.glue import read_catalog
from raito_pipeline.aws.readers.iam import EarlierIam, read_account
from raito_pipeline.aws.readers.organization import EarlierOrganization, read_organization
from raito_pipeline.aws.readers.push_center import CenterPlace, read_push_center
from raito_pipeline.aws.readers.reading import Read
from raito_pipeline.aws.readers.s3 import S3Keys, read_buckets
from raito_pipeline.config.groups import AccessOptions, GlueOptions, IamOptions, S3Options
from raito_pipeline.model import S3Bucket
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage.cells import ReadStatus
from tests.aws_profile import OTHERS

REGION = "eu-west-1"
SIDE_BY_SIDE = 4
"""accounts, each with a read of its own: waiting for another try, one does not keep the others waiting"""
PATIENCE = {"slow": 1.5}
"""seconds that clients wait for an answer, by fault; too few for a machine that has much to do would be a fault more"""
FAULTS: Mapping[str, Fault] = {
    "500": Fault(kind="error"),
    "503": Fault(kind="unavailable"),
    "throttled": Fault(kind="throttle"),
    "denied": Fault(kind="deny"),
    "dropped": Fault(kind="drop"),
    "cut": Fault(kind="truncate"),
    "slow": Fault(kind="drop", delay=2.5),
    "expired": Fault(kind="expired"),
    "page with 200": Fault(kind="page"),
    "page with 403": Fault(kind="page", status=403),
    "page with 503": Fault(kind="page", status=503),
    "empty": Fault(kind="empty"),
    "stub": Fault(kind="stub"),
    "half": Fault(kind="half"),
}
OF_EACH_KIND = ("500", "denied", "dropped", "page with 200", "half")
FOR_GOOD = ("denied", "half", "empty", "stub")
"""what each operation of a small reader meets for good, as what comes of it depends on the operation"""
FOR_GOOD_OF_MANY = ("denied", "stub")
"""and each of one of many: in IAM and Identity Center half an answer and none mean the same for all operations"""
WHOLE = "RAITO_PIPELINE_WHOLE_READER_FAULTS"
"""environment variable: every operation with every fault (`make matrix`)"""
SMALL = 6
"""operations of a reader that is small: those of S3, whose answers may be nothing but their text, are in such ones"""
FINAL = ("denied", "expired")
"""what AWS means when it says it once: it is not asked again"""

Tables = dict[str, Read[Any]]
"""What a reader gave, by table."""


@dataclass(frozen=True)
class Reader:
    """A reader, with what its account holds and which rights are missing there."""

    read: Callable[[AwsClients, str, Tables], Tables]
    denied: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    """operations that no other reader uses, where only these are tried"""
    keeps: bool = True
    """whether it is given the rows of the previous sync, for elements that cannot be read"""


def _iam(clients: AwsClients, _account: str, earlier: Tables) -> Tables:
    # Of another version of its policies, so that tags and documents are asked for again.
    rows = {name: earlier[name].rows for name in IAM} if earlier else {}
    rows["policies"] = tuple(replace(policy, default_version_id="v0") for policy in rows.get("policies", ()))
    before = EarlierIam(**rows)
    found = read_account(clients, IamOptions(aws_concurrency=2), earlier=before)
    kept = tuple(replace(policy, default_version_id="v1") for policy in found.policies.rows)
    return {**{name: getattr(found, name) for name in IAM}, "policies": replace(found.policies, rows=kept)}


def _buckets(clients: AwsClients, _account: str, earlier: Tables) -> Tables:
    return {
        "buckets": read_buckets(
            clients, S3Options(aws_concurrency=2), earlier=earlier["buckets"].rows if earlier else ()
        )
    }


def _bucket_policies(clients: AwsClients, account: str, earlier: Tables) -> Tables:
    before = earlier["bucket policies"].rows if earlier else ()
    buckets = [S3Bucket(f"{name}-{account}", REGION, None, True, None) for name in ("data", "more")]
    options = AccessOptions(aws_concurrency=2, regions=(REGION,))
    return {"bucket policies": read_bucket_policies(clients, account, options, buckets, earlier=before)}


def _named_access_points(clients: AwsClients, account: str, earlier: Tables) -> Tables:  # noqa: ARG001
    arns = [f"arn:aws:s3:{REGION}:{account}:accesspoint/point-{name}-{account}" for name in ("data", "more")]
    return {"named access points": read_named_access_points(clients, account, arns, 2)}


def _access_points(clients: AwsClients, account: str, earlier: Tables) -> Tables:
    before = earlier["access points"].rows if earlier else ()
    return {"access points": read_access_points(clients, account, REGION, 2, earlier=before)}


def _keys(clients: AwsClients, account: str, _earlier: Tables) -> Tables:
    """The keys of a bucket, page by page; a page with a problem is what the scan makes a partial cell of."""
    keys, token, lister = [], "", S3Keys(clients, REGION)
    while True:
        page = lister.page(f"data-{account}", token=token)
        if page.problem:
            raise AwsError(page.problem, action="s3:ListBucket", resource="data")
        keys += page.keys
        if not page.token:
            return {"keys": Read(tuple(keys), ReadStatus.COMPLETE, (), BEGAN)}
        token = page.token


def _glue(clients: AwsClients, _account: str, _earlier: Tables) -> Tables:
    return {"tables": read_catalog(clients, REGION, GlueOptions(aws_concurrency=2)).tables}


def _organization(clients: AwsClients, account: str, earlier: Tables) -> Tables:
    before = EarlierOrganization(
        *(earlier[name].rows if earlier else () for name in ("people", "permission sets", "assignments"))
    )
    found = read_organization(clients, REGION, frozenset([account]), ServiceLimits({}), earlier=before)
    return {"people": found.users, "permission sets": found.permission_sets, "assignments": found.assignments}


def _control_policies(clients: AwsClients, account: str, earlier: Tables) -> Tables:
    before = EarlierControlPolicies(*(earlier[name].rows for name in CONTROL)) if earlier else None
    members = frozenset(one.id for one in organizations_backends[account]["aws"].accounts)
    found = read_control_policies(clients, REGION, members, ServiceLimits({}), earlier=before)
    return {name: getattr(found, name) for name in CONTROL}


def _push_center(clients: AwsClients, account: str, _earlier: Tables) -> Tables:
    (instance,) = Service(clients, "sso-admin", NEXT_TOKEN, REGION).items("ListInstances", "Instances", "*")
    place = CenterPlace(REGION, instance["InstanceArn"], instance["IdentityStoreId"], account)
    found = read_push_center(clients, place, ("two",), ("one", "two"), ServiceLimits({}))
    return {"permission sets": found.permission_sets, "principals": found.principals}


def _logs(clients: AwsClients, account: str, _earlier: Tables) -> Tables:
    """The log files of a day and what they hold; a file that cannot be fetched is fetched by the next sync."""
    logs = CloudTrailLogs(clients, f"data-{account}", REGION, account, REGION)
    files = [(file.key, logs.fetch(file.key)) for file in logs.files(DAY, DAY)]
    unread = [fetched.problem for _, fetched in files if fetched.problem]
    if unread:
        raise AwsError(unread[0], action="s3:GetObject", resource="data")
    rows = tuple((key, gzip.decompress(fetched.packed)) for key, fetched in files)
    return {"files": Read(rows, ReadStatus.COMPLETE, (), BEGAN)}


DAY = date(2026, 1, 1)
CONTROL = ("accounts", "targets", "policies")
IAM = ("users", "groups", "roles", "policies", "attachments")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
READERS: Mapping[str, Reader] = {
    "IAM by details": Reader(_iam),
    "IAM by lists": Reader(_iam, ("GetAccountAuthorizationDetails",)),
    "IAM by lists of principals": Reader(
        _iam,
        ("GetAccountAuthorizationDetails", "ListEntitiesForPolicy"),
        ("ListAttachedUserPolicies", "ListAttachedGroupPolicies", "ListAttachedRolePolicies"),
    ),
    "buckets": Reader(_buckets),
    "bucket policies": Reader(_bucket_policies),
    "access points": Reader(_access_points),
    "named access points": Reader(_named_access_points, keeps=False),
    "keys": Reader(_keys),
    "glue": Reader(_glue, keeps=False),
    "organization": Reader(_organization),
    "control policies": Reader(_control_policies),
    "Identity Center for a push": Reader(_push_center, keeps=False),
    "logs": Reader(_logs, keeps=False),
}


PARTS = frozenset({"read_details", "read_lists", "read_people", "read_access", "read_boundaries"})
"""what others of the readers call: `read_account` details, lists, boundaries; an organization people and access"""


def test_every_reader_is_tried() -> None:
    """A new one that is not in `READERS` would be tried with no fault at all."""
    files = Path(readers.__path__[0]).glob("*.py")
    nodes = (node for file in files for node in ast.parse(file.read_text()).body)
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("read_")}

    assert {"read_account", "read_buckets", *PARTS} <= names
    assert {name for name in names - PARTS if name not in globals()} == set(), "give each its line in READERS"


@dataclass
class World:
    """The emulated AWS with some accounts that hold the same, and the clients that reach them."""

    aws: EmulatedAws
    accounts: list[str]
    clients: dict[tuple[str, int, float], AwsClients] = field(default_factory=dict)

    def read(self, reader: Reader, account: str, earlier: Tables, attempts: int = 1, patience: float = 60) -> Tables:
        key = (account, attempts, patience)
        if key not in self.clients:
            self.clients[key] = AwsClients(account, attempts=attempts, patience=patience, concurrency=2)
        return reader.read(self.clients[key], account, earlier)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("profiles")
    accounts = [f"11111111{number:04}" for number in range(SIDE_BY_SIDE)]
    with EmulatedAws(longest_page=1, remember=True) as aws, pytest.MonkeyPatch.context() as patch:
        # What is read here is there from the start.
        aws.pace.provisioning_seconds = aws.pace.new_role_seconds = 0.0
        config, credentials = folder / "config", folder / "credentials"
        for number, account in enumerate(accounts):
            key = f"AKIAMATRIXMATRIX{number:04}"
            install_access_key(account, key, "not-a-secret")
            with config.open("a") as file:
                file.write(f"[profile {account}]\nregion = {REGION}\nendpoint_url = {aws.endpoint_url}\n")
            with credentials.open("a") as file:
                file.write(f"[{account}]\naws_access_key_id = {key}\naws_secret_access_key = not-a-secret\n")
        patch.setenv("AWS_CONFIG_FILE", str(config))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
        for name in OTHERS:
            patch.delenv(name, raising=False)
        world = World(aws, accounts)
        for account in accounts:
            fill(AwsClients(account), account)
        yield world


def fill(clients: AwsClients, account: str) -> None:
    """Two of everything, and pages of one, so that each list has a second one."""
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}'
    )
    tags: Any = [{"Key": "team", "Value": "a"}]
    iam = clients.client("iam")
    arns = []
    for name in ("one", "two"):
        made = iam.create_policy(PolicyName=name, PolicyDocument=document, Tags=tags)
        arns.append(made["Policy"]["Arn"])
        iam.create_user(UserName=name, Tags=tags)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags)
        iam.create_group(GroupName=name)
        iam.attach_role_policy(RoleName=name, PolicyArn=arns[-1])
    for name in ("one", "two"):
        iam.add_user_to_group(GroupName="one", UserName=name)
        iam.put_user_policy(UserName="one", PolicyName=name, PolicyDocument=document)
    iam.put_group_policy(GroupName="one", PolicyName="inline", PolicyDocument=document)
    iam.put_role_policy(RoleName="one", PolicyName="inline", PolicyDocument=document)
    iam.attach_user_policy(UserName="one", PolicyArn=arns[0])
    iam.attach_group_policy(GroupName="one", PolicyArn=arns[0])
    s3, glue, control = clients.client("s3"), clients.client("glue"), clients.client("s3control")
    for bucket in (f"data-{account}", f"more-{account}"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
        glue.create_database(DatabaseInput={"Name": bucket})
        fill_bucket_policy(s3, bucket, account)
        point = f"point-{bucket}"
        control.create_access_point(AccountId=account, Name=point, Bucket=bucket)
        arn = f"arn:aws:s3:{REGION}:{account}:accesspoint/{point}"
        policy = document.replace(
            '"Resource":"*"', f'"Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Resource":"{arn}/object/*"'
        )
        control.put_access_point_policy(AccountId=account, Name=point, Policy=policy)
    for number in range(3):
        s3.put_object(Bucket=f"data-{account}", Key=f"folder/{number}", Body=b"")
    block: Any = {"BlockPublicPolicy": True}
    control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=block)
    fill_logs(s3, account)
    fill_organization(clients, account)
    fill_control_policies(account, document)
    glue.create_table(
        DatabaseName=f"data-{account}",
        TableInput={"Name": "t", "StorageDescriptor": {"Location": f"s3://data-{account}/t"}},
    )


def fill_bucket_policy(s3: Any, bucket: str, account: str) -> None:
    allowing = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    statement = {**allowing, "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)


def fill_logs(s3: Any, account: str) -> None:
    folder = f"AWSLogs/{account}/CloudTrail/{REGION}/2026/01/01/"
    for number in range(2):
        s3.put_object(Bucket=f"data-{account}", Key=f"{folder}{number}.json.gz", Body=gzip.compress(b'{"Records":[]}'))


def fill_control_policies(account: str, document: str) -> None:
    """Two accounts in two units, one in the other, and a policy of each type beside those of AWS."""
    backend = organizations_backends[account]["aws"]
    backend.create_organization("us-east-1")
    root = above = backend.ou[0].id
    for number, kind in enumerate(("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")):
        backend.enable_policy_type(RootId=root, PolicyType=kind)
        above = backend.create_organizational_unit(Name=kind, ParentId=above)["OrganizationalUnit"]["Id"]
        policy = backend.create_policy(Name=kind, Description="", Type=kind, Content=document)["Policy"]
        backend.attach_policy(PolicyId=policy["PolicySummary"]["Id"], TargetId=above)
        made = backend.create_account(AccountName=f"member{number}", Email="a@example.com")["CreateAccountStatus"]
        backend.move_account(AccountId=made["AccountId"], SourceParentId=root, DestinationParentId=above)


def fill_organization(clients: AwsClients, account: str) -> None:
    sso, people = clients.client("sso-admin", REGION), clients.client("identitystore", REGION)
    instance = sso.list_instances()["Instances"][0]
    here, store = {"InstanceArn": instance["InstanceArn"]}, {"IdentityStoreId": instance["IdentityStoreId"]}
    for name in ("one", "two"):
        named: Any = {"Name": {"FamilyName": name, "GivenName": name}, "DisplayName": name}
        user = people.create_user(UserName=name, **named, **store)["UserId"]
        group = people.create_group(DisplayName=name, **store)["GroupId"]
        people.create_group_membership(GroupId=group, MemberId={"UserId": user}, **store)
        tags: Any = [{"Key": "team", "Value": name}]
        tags += [{"Key": "creator", "Value": "RAITO"}] if name == "one" else []
        made = sso.create_permission_set(Name=name, Tags=tags, **here)["PermissionSet"]["PermissionSetArn"]
        for principal in (user, group):
            sso.create_account_assignment(
                **here,
                TargetId=account,
                TargetType="AWS_ACCOUNT",
                PermissionSetArn=made,
                PrincipalType="USER" if principal == user else "GROUP",
                PrincipalId=principal,
            )


@dataclass(frozen=True)
class Try:
    """One read with one fault."""

    operation: str
    fault: str
    skip: int
    times: int | None
    known: bool
    """whether there is a previous sync"""

    def __str__(self) -> str:
        when = f"call {self.skip + 1}" if self.times else f"every call from {self.skip + 1}"
        return f"{self.operation}, {when}, {self.fault}, {'with' if self.known else 'without'} a previous sync"


def tries(calls: Counter[str], keeps: bool, *, among: int, whole: bool) -> Iterator[Try]:
    """The reads of a reader that makes these calls, of `among` operations in all.

    Whether a call is tried again, and what a status means, is said once for all operations; what an answer must carry,
    and what a reader does without it, is said for each. So each operation meets for good all that depends on it, and of
    the rest its share, so that a reader meets every fault both ways; `whole`: each operation all of it.
    """
    own = FOR_GOOD if among <= SMALL else FOR_GOOD_OF_MANY
    rest = [fault for fault in FAULTS if fault not in own]
    for number, (operation, count) in enumerate(sorted(calls.items())):

        def share(faults: Sequence[str], number: int = number) -> list[str]:
            return list(faults) if whole else _in_turn(list(faults), number, -(-len(faults) // among))

        yield from (Try(operation, fault, 0, None, known=keeps) for fault in (*own, *share(rest)))
        yield from (Try(operation, fault, 0, 1, known=keeps) for fault in share(list(FAULTS)))
        # At a later call, and without a previous sync, one fault of each kind stands for the others.
        some = share(OF_EACH_KIND)
        if count > 1:
            yield from (Try(operation, fault, count - 1, None, known=keeps) for fault in some)
            yield from (Try(operation, fault, count - 1, 1, known=keeps) for fault in some)
        if keeps:
            yield from (Try(operation, fault, 0, None, known=False) for fault in some)


def _in_turn(faults: list[str], number: int, size: int) -> list[str]:
    """The `number`th `size` faults of a list that begins anew at its end."""
    return [faults[(number * size + place) % len(faults)] for place in range(min(size, len(faults)))]


@pytest.mark.parametrize("size", [1, 2, 3, SMALL, SMALL + 1, 9, 17])
def test_each_fault_is_met_by_an_operation_of_each_reader(size: int) -> None:
    operations = Counter({f"Get{number}": 2 for number in range(size)})
    some = list(tries(operations, True, among=size, whole=False))
    whole = list(tries(operations, True, among=size, whole=True))
    assert {*map(str, some)} < {*map(str, whole)} or size == 1
    for passes in (None, 1):
        assert {one.fault for one in some if one.times == passes} == set(FAULTS)
    for operation in operations:
        mine = {one.fault for one in some if one.operation == operation and one.times is None}
        assert mine >= {*(FOR_GOOD if size <= SMALL else FOR_GOOD_OF_MANY)}
        assert {one.fault for one in whole if one.operation == operation and one.times is None} == set(FAULTS)
    for later in ([one for one in some if one.skip], [one for one in some if not one.known]):
        assert {one.fault for one in later} == {*OF_EACH_KIND}
        assert {one.operation for one in later} == {*operations}


@pytest.mark.parametrize("name", READERS)
def test_no_fault_makes_a_complete_read_shorter(world: World, name: str, record_property: Any) -> None:
    reader, aws = READERS[name], world.aws
    aws.faults.clear()
    for operation in reader.denied:
        aws.faults.add(Fault(kind="deny", operation=operation))
    clean: dict[str, Tables] = {}
    for account in world.accounts:
        mark = aws.calls.mark
        clean[account] = world.read(reader, account, {})
    calls = Counter(call.operation for call in aws.calls.since(mark) if call.operation not in reader.denied)
    assert all(read.rows and read.status is ReadStatus.COMPLETE for read in clean[account].values())

    tried = Counter({name: calls[name] for name in reader.only}) if reader.only else calls
    wanted = list(tries(tried, reader.keeps, among=len(calls), whole=WHOLE in os.environ))
    free: SimpleQueue[str] = SimpleQueue()
    for account in world.accounts:
        free.put(account)
    problems: list[str] = []
    outcomes: Counter[str] = Counter()
    counting = threading.Lock()

    def attempt(one: Try) -> None:
        account = free.get()
        try:
            outcome = outcome_of(world, reader, account, one, clean[account])
        finally:
            free.put(account)
        with counting:
            outcomes[outcome.partition(":")[0]] += 1
            if outcome.startswith("WRONG"):
                problems.append(f"{one}: {outcome}")

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(attempt, wanted))

    record_property("operations", len(calls))
    record_property("tries", len(wanted))
    print(f"{name}: {len(calls)} operations, {len(wanted)} reads: {dict(outcomes)}")
    assert not problems, "\n".join(problems[:20])
    assert outcomes["equal"], outcomes


def outcome_of(world: World, reader: Reader, account: str, one: Try, clean: Tables) -> str:
    """One read under one fault: `equal`, `error`, `partial`, or `WRONG` and why."""
    fault = FAULTS[one.fault]
    ordered = world.aws.faults.add(
        Fault(
            kind=fault.kind,
            status=fault.status,
            delay=fault.delay,
            account=account,
            operation=one.operation,
            skip=one.skip,
            times=one.times,
        )
    )
    try:
        patience = PATIENCE.get(one.fault, 60)
        got = world.read(reader, account, clean if one.known else {}, 2 if one.times else 1, patience)
    except AwsError as error:
        if one.times and one.fault not in FINAL:
            return f"WRONG: one fault ended the read: {error}"
        return "error"
    except Exception as error:
        return f"WRONG: {type(error).__name__} left the reader: {error}"
    finally:
        world.aws.faults.remove(ordered)
    return judged(got, clean, one)


def judged(got: Tables, clean: Tables, one: Try) -> str:
    for table, read in got.items():
        same = read.rows == clean[table].rows
        if read.status is ReadStatus.COMPLETE and not same:
            return f"WRONG: {table} is complete with {len(read.rows)} rows in place of {len(clean[table].rows)}"
        if read.status is not ReadStatus.COMPLETE and one.known and not same:
            return f"WRONG: {table} is {read.status.value}, and not as the previous sync stored it"
    if all(read.status is ReadStatus.COMPLETE for read in got.values()):
        return "equal"
    if one.times and one.fault not in FINAL:
        return f"WRONG: one fault made the read partial: {[r.problems for r in got.values()]}"
    return "partial"
