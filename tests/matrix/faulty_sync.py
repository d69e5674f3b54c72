"""Every listing and look-up of a whole sync, answered wrongly in every way, once and always.

After each such sync nothing is gone from Raito Cloud and no stored table is shorter, a table that calls itself complete
is the whole one, and the next sync without a fault arrives at the state of a clean one, with every usage statement.
"""

import gzip
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import boto3
import yaml
from msgspec.structs import replace

from raito_pipeline.config import Options, load
from raito_pipeline.sandbox.aws.estate import EstateAccount
from raito_pipeline.sandbox.aws.faults import Fault
from tests.end_to_end.conftest import SMALL, World, started
from tests.matrix.state import Cells, Content, lost, raito_content, shorter, stored_cells

FAULTS: dict[str, Fault] = {
    "500": Fault(kind="error"),
    "503": Fault(kind="unavailable"),
    "throttled": Fault(kind="throttle"),
    "denied": Fault(kind="deny"),
    "expired": Fault(kind="expired"),
    "dropped": Fault(kind="drop"),
    "cut": Fault(kind="truncate"),
    "half": Fault(kind="half"),
    "slow": Fault(kind="delay", delay=0.2),
    "HTML with 200": Fault(kind="page"),
    "HTML with 403": Fault(kind="page", status=403),
    "HTML with 503": Fault(kind="page", status=503),
    "empty": Fault(kind="empty"),
    "{}": Fault(kind="stub"),
}
ATTEMPTS = 2
"""How often a call is tried: twice, so that one wrong answer passes and the pauses stay short."""


DETAILS = ("iam", "GetAccountAuthorizationDetails")
"""The one call that tells all of IAM; where it is denied, a dozen listings are asked in its place."""
NO_DETAILS = Fault(kind="deny", service=DETAILS[0], operation=DETAILS[1])


@dataclass(frozen=True, order=True)
class Case:
    """One operation of AWS, what it answers in place of the truth, and whether it does so once or always.

    `by_lists` is True for what is asked only where the details of the account are denied.
    """

    service: str
    operation: str
    fault: str
    always: bool
    by_lists: bool = False

    @property
    def label(self) -> str:
        """The case as a person names it."""
        return f"{self.service}:{self.operation} {self.fault} {'always' if self.always else 'once'}"


@dataclass
class FaultySyncs:
    """A small estate that was synced whole, and syncs of it in which one operation is answered wrongly."""

    world: World
    options: Options
    log_account: EstateAccount
    asked: set[tuple[str, str]] = field(default_factory=set)
    """service and operation of what syncs without fault ask"""
    asked_by_lists: set[tuple[str, str]] = field(default_factory=set)
    """of what they ask where the details of the account are denied"""
    cells: Cells = field(default_factory=dict)
    content: Content = field(default_factory=dict)
    unmet: list[Case] = field(default_factory=list)
    """cases whose operation was not asked in their sync: what is remembered (tags of policies) is not asked again"""
    expected: dict[str, str] = field(default_factory=dict)
    """usage statements that have to arrive: event id -> case that was running when its log file came"""

    @property
    def operations(self) -> tuple[tuple[str, str, bool], ...]:
        """Service, operation, and whether it is asked only where the details of the account are denied."""
        only_by_lists = self.asked_by_lists - self.asked
        return tuple(sorted([*((*each, False) for each in self.asked), *((*each, True) for each in only_by_lists)]))

    def cases(self) -> list[Case]:
        """All of them."""
        return [
            Case(service, operation, fault, always, by_lists)
            for service, operation, by_lists in self.operations
            for fault in FAULTS
            for always in (False, True)
        ]

    def sync(self) -> Sequence[str]:
        """One sync; gives what it said of failures."""
        options = self.options
        return [line for result in self.world.sync(options) for line in result.failures]

    def run(self, case: Case) -> list[str]:
        """One sync with the fault of a case; gives what is wrong afterwards, one line each."""
        self._add_log_file(case.label)
        faults = self.world.embedded.aws.faults
        fault = FAULTS[case.fault]
        times = None if case.always else 1
        ordered = replace(fault, service=case.service, operation=case.operation, times=times, id=_UNDER_TEST)
        faults.add(ordered)
        if case.by_lists:
            faults.add(NO_DETAILS)
        try:
            mark = self.world.embedded.aws.calls.mark
            said = self.sync()
            if case.by_lists:
                self.asked_by_lists |= self._operations(mark)
            hits = sum(each.hits for each in faults.listed() if each.id == _UNDER_TEST)
        finally:
            faults.clear()
        wrong = lost(self.content, self._content()) + shorter(self.cells, self._cells())
        wrong += [f"said {line!r}" for line in said if "Traceback" in line or "Error(" in line]
        if not hits:
            self.unmet.append(case)
        return [f"{case.label}: {line}" for line in wrong]

    def settle(self) -> list[str]:
        """A sync without fault; gives what is not as after a clean one, one line each."""
        said = self.sync()
        content = self._content()
        wrong = [f"the sync without fault said {line}" for line in said]
        wrong += lost(self.content, content) + shorter(self.cells, self._cells())
        wrong += [f"{kind} {key} came" for kind, rows in content.items() if kind != "usage_statements"
                  for key in rows.keys() - self.content[kind].keys()]  # fmt: skip
        source = f"ds-{self.log_account.account_id}"
        arrived = {key.removeprefix(f"{source}/") for key in content["usage_statements"]}
        wrong += [
            f"statement {event} of {case} never arrived"
            for event, case in self.expected.items()
            if event not in arrived
        ]
        invented = content["usage_statements"].keys() - self.content["usage_statements"].keys()
        invented = {key for key in invented if key.removeprefix(f"{source}/") not in self.expected}
        wrong += [f"statement {key} was invented" for key in invented]
        wrong += [
            f"cell {name} stays {cell.status}" for name, cell in self._cells().items() if cell.status not in _WHOLE
        ]
        return wrong

    def start(self) -> None:
        """The clean sync that everything is compared with (two: what the first push changed is read by the second)."""
        self.asked = self._operations_of_a_clean_sync() | self._operations_of_a_clean_sync()
        self.world.embedded.aws.faults.add(NO_DETAILS)
        self.asked_by_lists = self._operations_of_a_clean_sync()
        self.world.embedded.aws.faults.clear()
        self.cells, self.content = self._cells(), self._content()

    def start_again(self) -> None:
        """The same where all was synced before: one clean sync, of a log file that came since.

        It is needed, as users and buckets have the time at which this estate was started. What is asked where the
        details are denied becomes known by a case.
        """
        self._add_log_file("the clean sync")
        self.asked = self._operations_of_a_clean_sync()
        self.cells, self.content = self._cells(), self._content()

    @cached_property
    def known_file(self) -> tuple[str, str]:
        """Bucket and key of a file that usage can point at."""
        return self._known_file(self.log_account.regions[0])

    def _operations_of_a_clean_sync(self) -> set[tuple[str, str]]:
        mark = self.world.embedded.aws.calls.mark
        said = self.sync()
        assert not said, said
        return self._operations(mark)

    def _operations(self, mark: int) -> set[tuple[str, str]]:
        """What was asked since then."""
        asked = self.world.embedded.aws.calls.since(mark)
        return {(c.service, c.operation) for c in asked if not c.writes and c.service != "cognito-idp"}

    def _cells(self) -> Cells:
        return stored_cells(self.world.embedded.directory / "data")

    def _content(self) -> Content:
        return raito_content(self.world.embedded.directory / "raito-cloud.sqlite")

    def _add_log_file(self, came_with: str) -> None:
        """One more log file, with one event on a file that is known."""
        account, at = self.log_account, datetime.now(UTC) - timedelta(minutes=1)
        region, event = account.regions[0], str(uuid.uuid4())
        bucket, key = self.known_file
        record = {
            "eventVersion": "1.09", "eventID": event, "eventName": "GetObject", "eventSource": "s3.amazonaws.com",
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "awsRegion": region, "eventCategory": "Data",
            "managementEvent": False, "recipientAccountId": account.account_id,
            "userIdentity": {
                "type": "IAMUser", "accountId": account.account_id, "userName": account.users[0],
                "arn": f"arn:aws:iam::{account.account_id}:user/{account.users[0]}", "principalId": "AIDAEXAMPLE",
            },
            "requestParameters": {"bucketName": bucket, "key": key},
            "resources": [
                {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
                {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}", "accountId": account.account_id},
            ],
            "additionalEventData": {"bytesTransferredOut": 100},
        }  # fmt: skip
        name = f"{account.account_id}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{uuid.uuid4().hex[:16]}.json.gz"
        path = f"AWSLogs/{account.account_id}/CloudTrail/{region}/{at:%Y/%m/%d}/{name}"
        body = gzip.compress(json.dumps({"Records": [record]}).encode())
        s3 = boto3.Session(profile_name=account.profile).client("s3", region_name=region)
        s3.put_object(Bucket=account.cloudtrail_bucket, Key=path, Body=body)
        self.expected[event] = came_with

    def _known_file(self, region: str) -> tuple[str, str]:
        rows = self.world.store.dataset("data_objects", self.log_account.account_id, region).to_table().to_pylist()
        kind = "file" if self.log_account.mode == "s3" else "glue-table"
        name = min(row["full_name"] for row in rows if row["type"] == kind)
        bucket, _, key = name.split(":", 2)[2].partition("/")
        return bucket, key


_WHOLE = ("complete", "out_of_scope")
_UNDER_TEST = "under-test"


@contextmanager
def faulty_syncs(folder: Path, name: str) -> Iterator[FaultySyncs]:
    """A small estate, of which the account `name` and its organization are synced; clean syncs were made."""
    with started(folder, SMALL) as world:
        syncs = faulty_syncs_of(world, name)
        syncs.start()
        yield syncs


def faulty_syncs_of(world: World, name: str) -> FaultySyncs:
    """Syncs of an account of a world and of its organization, of which none was made yet."""
    file = world.embedded.config_file
    content = yaml.safe_load(file.read_text("utf-8"))
    content["pipeline"]["aws-attempts"] = ATTEMPTS
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    options = load(file, only_targets=["aws-organization", name])
    account = next(account for account in world.embedded.estate.members if account.name == name)
    return FaultySyncs(world, options, account)
