"""`raito-pipeline run` of one small target under each of many faults: one cause, once, and an honest status.

Whatever happens, nothing that Raito Cloud held is removed, no stack of frames is printed, and no secret.
"""

import io
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from raito_pipeline.cli import main
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.raito.faults import CloudFault as RaitoFault
from raito_pipeline.storage.lease import Leases
from tests.end_to_end.conftest import SMALL, World, started
from tests.forked import COMMAND, Forked

ACCOUNT = "210000000012"
SOURCE = f"ds-{ACCOUNT}"
PASSWORD = "certainly-not-it"


@dataclass
class Small:
    """One small target of the estate: its `raito.yml`, its AWS profile, and how a run of it ended."""

    world: World
    folder: Path
    patch: pytest.MonkeyPatch
    cleanup: ExitStack = field(default_factory=ExitStack)
    options: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        estate = yaml.safe_load(self.world.embedded.config_file.read_text("utf-8"))
        shared = {name: estate[name] for name in ("api-user", "api-secret", "domain", "raito-url-override")}
        self.options = {**shared, "pipeline": {"storage": str(self.folder / "data")}, "skip-data-access-sync": True}
        self.target = {
            "name": "marketing",
            "connector-name": "raito-io/cli-plugin-aws-account",
            "data-source-id": SOURCE,
            "identity-store-id": f"is-{ACCOUNT}",
            "aws-account-id": ACCOUNT,
            "aws-profile": "marketing",
            "aws-regions": "eu-west-1",
            "aws-s3-include-buckets": "marketing-archive",
            "aws-s3-cloudtrail-bucket": "marketing-cloudtrail",
        }

    def fault(self, **given: Any) -> None:
        """Order a fault of AWS."""
        self.world.embedded.aws.faults.add(Fault(**given))

    def profile(self, *lines: str) -> None:
        """Give the profile of the target these lines, in place of its keys."""
        url = self.world.embedded.aws.endpoint_url
        given = "\n".join(("[profile broken]", "region = eu-west-1", f"endpoint_url = {url}", *lines))
        config = Path(self.world.embedded.environment["AWS_CONFIG_FILE"]).read_text("utf-8")
        (self.folder / "config").write_text(f"{config}\n{given}\n", encoding="utf-8")
        self.patch.setenv("AWS_CONFIG_FILE", str(self.folder / "config"))
        self.target["aws-profile"] = "broken"

    def write(self) -> Path:
        """Write the configuration."""
        file = self.folder / "raito.yml"
        file.write_text(yaml.safe_dump({**self.options, "targets": [self.target]}), encoding="utf-8")
        return file

    def run(self, *arguments: str) -> tuple[int, str]:
        """One run; gives its status and everything that it printed."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = main(["run", "--config-file", str(self.write()), *arguments])
        return status, err.getvalue() + out.getvalue()


class _Page(BaseHTTPRequestHandler):
    """A proxy that answers everything with a page of its own."""

    def _serve(self) -> None:
        body = b"<html><body>Please log in to the network</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_HEAD = _serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent."""


@contextmanager
def _page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(tmp_path_factory.mktemp("faults"), SMALL) as world:
        yield world


@pytest.fixture(scope="module")
def synced(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a target that was synced once without any fault."""
    folder = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        status, text = Small(world, folder, patch).run()
    assert status == 0, text
    assert "everything succeeded" in text
    return folder


@pytest.fixture
def small(world: World, synced: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    monkeypatch.chdir(synced)
    monkeypatch.setenv("COLUMNS", "2000")  # so that no line of the table is wrapped
    # Retries are made, and do not wait.
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    with ExitStack() as cleanup:
        yield Small(world, synced, monkeypatch, cleanup)
    world.embedded.aws.faults.clear()
    world.embedded.raito.faults.clear()


def _option(**given: Any) -> Callable[[Small], None]:
    return lambda small: small.options.update({name.replace("_", "-"): value for name, value in given.items()})


def _target(**given: Any) -> Callable[[Small], None]:
    return lambda small: small.target.update({name.replace("_", "-"): value for name, value in given.items()})


def _fault(**given: Any) -> Callable[[Small], None]:
    return lambda small: small.fault(**given)


def _profile(*lines: str) -> Callable[[Small], None]:
    return lambda small: small.profile(*lines)


def _wrong_password(small: Small) -> None:
    small.patch.setenv("RAITO_API_SECRET", PASSWORD)


def _failing_raito(small: Small) -> None:
    small.world.embedded.raito.faults.add(RaitoFault(on="query", times=None, status=500, message="it broke"))


def _endpoint_without_scheme(small: Small) -> None:
    url = small.world.embedded.aws.endpoint_url
    small.profile("aws_access_key_id = AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key = not-a-secret")
    config = small.folder / "config"
    broken = config.read_text("utf-8").rpartition("[profile broken]")
    config.write_text(f"{broken[0]}{broken[1]}{broken[2].replace(url, url.removeprefix('http://'))}", encoding="utf-8")


def _proxy_page(small: Small) -> None:
    """All calls of S3 meet a proxy that answers each of them with a page."""
    account = small.world.embedded.estate.members[0]
    url = small.cleanup.enter_context(_page())
    keys = f"aws_access_key_id = {account.access_key_id}", f"aws_secret_access_key = {account.secret_access_key}"
    small.profile(*keys, "services = page", "[services page]", "s3 =", f"  endpoint_url = {url}")


def _unwritable(small: Small) -> None:
    (small.folder / "file").write_text("a file where a folder is needed", encoding="utf-8")
    small.options["pipeline"] = {"storage": str(small.folder / "file")}


def _second_sync(small: Small) -> None:
    small.options["pipeline"]["wait-for-sync-minutes"] = 0
    leases = Leases(small.folder / "data")
    small.cleanup.enter_context(leases.acquire(ACCOUNT, "another-sync", "another-run", "layer account"))


def _corrupt_cell(small: Small) -> None:
    (cell,) = (small.folder / "data" / "iam_users").rglob("data.parquet")
    cell.write_bytes(cell.read_bytes()[:-20])


FAULTS: dict[str, tuple[Callable[[Small], None], int, tuple[str, ...]]] = {
    "wrong password": (_wrong_password, 1, ("login to Raito Cloud failed", "Check api-user and api-secret")),
    "unknown domain": (_option(domain="elsewhere"), 1, ("does not know the domain 'elsewhere'",)),
    "unreachable Raito Cloud": (
        _option(raito_url_override="http://127.0.0.1:9"),
        1,
        ("http://127.0.0.1:9/", "cannot be reached"),
    ),
    "Raito Cloud answers 500": (_failing_raito, 1, ("status 500", "it broke")),
    "expired AWS credentials": (
        _fault(kind="deny", service="sts", status=403, code="ExpiredToken", message="it is expired"),
        1,
        ("the AWS credentials have expired",),
    ),
    "wrong account id": (
        _target(aws_account_id="210000000099"),
        1,
        (f"belong to account {ACCOUNT}", "Correct aws-profile"),
    ),
    "missing profile": (_target(aws_profile="nowhere"), 1, ("(nowhere)", "Check aws-profile")),
    "profile with MFA": (
        _profile(
            f"role_arn = arn:aws:iam::{ACCOUNT}:role/x",
            "source_profile = marketing",
            f"mfa_serial = arn:aws:iam::{ACCOUNT}:mfa/x",
        ),
        1,
        ("(mfa_serial)",),
    ),
    "credential_process that fails": (
        _profile("credential_process = false"),
        1,
        ("credential_process of profile broken",),
    ),
    "credential_process without JSON": (
        _profile("credential_process = echo hello"),
        1,
        ("credential_process of profile broken (echo) gave no credentials",),
    ),
    "endpoint without scheme": (_endpoint_without_scheme, 1, ("has to begin with https:// or http://",)),
    "denied bucket": (
        _fault(kind="deny", service="s3", operation="ListObjectsV2", resource="marketing-archive"),
        1,
        ("AWS denied the call", "Allow s3:ListBucket on arn:aws:s3:::marketing-archive"),
    ),
    "denied ListBuckets": (
        _fault(kind="deny", service="s3", operation="ListBuckets"),
        1,
        ("AWS denied the call", "Allow s3:ListAllMyBuckets on *"),
    ),
    "ListBuckets answers 500": (
        _fault(kind="error", service="s3", operation="ListBuckets"),
        1,
        ("AWS failed with status 500",),
    ),
    "throttled IAM": (_fault(kind="throttle", service="iam"), 1, ("AWS throttled the call",)),
    "missing log bucket": (
        _target(aws_s3_cloudtrail_bucket="no-such-bucket"),
        1,
        ("cloudtrail_files eu-west-1", "no-such-bucket: it does not exist", "Correct aws-s3-cloudtrail-bucket"),
    ),
    "mistyped region": (_target(aws_regions="eu-wset-1"), 2, ("eu-wset-1", "eu-west-1")),
    "filter that excludes everything": (
        _target(aws_s3_exclude_buckets=".*"),
        3,
        ("it would remove ALL_BUT_ONE of the ALL data objects",),
    ),
    "wrong data source": (
        _target(data_source_id="ds-nowhere"),
        1,
        ("has no data source ds-nowhere", "Correct data-source-id"),
    ),
    "a proxy's page in place of S3": (
        _proxy_page,
        1,
        ("s3:ListAllMyBuckets on the account: what answered was not AWS",),
    ),
    "storage that cannot be written": (_unwritable, 1, ("cannot be written",)),
    "second sync under way": (_second_sync, 1, (f"a sync of {ACCOUNT} is under way: another-sync", "1 failed")),
    "corrupt cell": (_corrupt_cell, 0, ("everything succeeded",)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_once_with_an_honest_status(small: Small, name: str) -> None:
    change, expected, parts = FAULTS[name]
    before = small.world.counts()["dataSources"][SOURCE]
    change(small)

    status, text = small.run()

    assert status == expected, text
    held = sum(before["dataObjects"].values())
    for each in parts:
        part = each.replace("ALL_BUT_ONE", f"{held - 1:,}").replace("ALL", f"{held:,}")
        assert text.count(part) == 1, (part, text)
    assert "Traceback" not in text
    assert PASSWORD not in text
    held = small.world.counts()["dataSources"][SOURCE]
    assert held["dataObjects"] == before["dataObjects"]
    assert held["usageStatements"] >= before["usageStatements"]


FULL_DISK = """
import contextlib, io, resource, sys
from raito_pipeline.cli import main
# No file may grow past this size, as on a disk with no more room; what is printed goes to a file, too, and later.
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
    status = main(sys.argv[1:])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
print(out.getvalue(), err.getvalue())
sys.exit(status)
"""


def test_a_full_disk_names_the_tables_and_leaves_no_file_behind(small: Small, forked: Forked) -> None:
    data = small.folder / "data"
    before = {file: file.read_bytes() for file in data.rglob("*") if file.is_file()}

    status, out, err = forked.begin(FULL_DISK, "run", "--config-file", str(small.write())).wait()

    text = out + err
    assert status == 1, text
    assert "Traceback" not in text
    assert "iam_users" in text
    after = {file for file in data.rglob("*") if file.is_file()}
    assert after <= before.keys()


def test_an_interrupted_sync_says_so_and_begins_nothing_more(small: Small, forked: Forked) -> None:
    small.fault(kind="delay", service="iam", delay=3.0)
    mark = small.world.embedded.aws.calls.mark
    process = forked.begin(COMMAND, "run", "--json", "--config-file", str(small.write()))
    end = time.monotonic() + 60
    while not any(call.service == "iam" for call in small.world.embedded.aws.calls.since(mark)):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send(signal.SIGINT)
    status, out, err = process.wait()

    assert status == 130, err
    told = json.loads(out)
    assert (told["status"], told["interrupted"], len(told["layers"])) == (130, True, 1)
    assert "Traceback" not in err
    assert Leases(small.folder / "data").under_way(ACCOUNT) is None


def test_json_is_the_whole_summary_and_all_that_is_on_stdout(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    small.fault(kind="deny", service="s3", operation="ListObjectsV2", resource="marketing-archive")
    capsys.readouterr()

    status = main(["run", "--json", "--config-file", str(small.write())])

    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert (status, told["status"], told["outcome"]) == (1, 1, "failed")
    (place,) = told["places"]
    assert (place["target"], place["id"], place["outcome"]) == ("marketing", ACCOUNT, "failed")
    assert place["repair"] == ["Allow s3:ListBucket on arn:aws:s3:::marketing-archive"]
    assert f"marketing {ACCOUNT}" in printed.err


def _region_not_enabled(small: Small) -> None:
    small.target["aws-regions"] = "us-east-1,eu-west-1"
    small.fault(kind="deny", service="sts", region="eu-west-1", status=403, code="InvalidClientTokenId")


CHECKS: dict[str, tuple[Callable[[Small], None], str]] = {
    "wrong password": (_wrong_password, "Raito Cloud login"),
    "wrong data source": (_target(data_source_id="ds-nowhere"), "data source ds-nowhere"),
    "wrong identity store": (_target(identity_store_id="is-nowhere"), "identity store is-nowhere"),
    "expired credentials": (FAULTS["expired AWS credentials"][0], "AWS credentials"),
    "region not enabled": (_region_not_enabled, "region eu-west-1"),
    "missing log bucket": (_target(aws_s3_cloudtrail_bucket="no-such-bucket"), "log bucket no-such-bucket"),
    "bucket without logs": (_target(aws_s3_cloudtrail_bucket="marketing-archive"), "trail folder"),
    "denied IAM": (_fault(kind="deny", service="iam"), "iam:GetAccountAuthorizationDetails"),
    "denied access points": (_fault(kind="deny", operation="ListAccessPoints"), "s3:ListAccessPoints in eu-west-1"),
    "storage": (_unwritable, "storage"),
}


def _check(small: Small, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    small.options["skip-data-access-sync"] = False
    status = main(["check", "--json", "--config-file", str(small.write())])
    return status, json.loads(capsys.readouterr().out)


def test_a_check_tries_everything_and_changes_nothing(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    before = small.world.counts()
    mark = small.world.embedded.aws.calls.mark
    status, told = _check(small, capsys)
    assert (status, [each for each in told["findings"] if each["problem"]]) == (0, [])
    tried = " ".join(each["what"] for each in told["findings"] if each["works"])
    for part in (
        "storage",
        "login",
        "data source",
        "identity store",
        "credentials",
        "region eu-west-1",
        "trail folder",
    ):
        assert part in tried
    assert [call.operation for call in small.world.embedded.aws.calls.since(mark) if call.writes] == []
    assert small.world.counts() == before


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_names_what_is_wrong_and_nothing_else(
    small: Small, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    change, what = CHECKS[name]
    change(small)
    status, told = _check(small, capsys)
    assert status == 1
    assert [each["what"] for each in told["findings"] if each["problem"]] == [what], told


def test_a_target_that_cannot_work_is_not_synced_says_so_in_raito_cloud_and_stops_no_other(
    small: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    file = small.write()
    wrong = {
        **small.target,
        "name": "finance",
        "data-source-id": "ds-210000000023",
        "identity-store-id": "is-210000000023",
        "aws-account-id": "210000000023",
        "aws-profile": "research",
    }
    file.write_text(yaml.safe_dump({**small.options, "targets": [wrong, small.target]}), encoding="utf-8")
    log = small.world.embedded.raito.log
    log.clear()
    capsys.readouterr()

    status = main(["run", "--json", "--config-file", str(file)])

    places = {place["target"]: place for place in json.loads(capsys.readouterr().out)["places"]}
    assert status == 1
    assert (places["finance"]["outcome"], places["marketing"]["outcome"]) == ("failed", "complete")
    (cause,) = places["finance"]["causes"]
    assert "belong to account 210000000034" in cause["reason"]
    told = [call["arguments"]["updateJob"]["input"] for call in log if "updateJob" in (call.get("operations") or [])]
    ended = [job for job in told if job["status"] in ("FAILED", "COMPLETED")]
    assert {(job["dataSourceId"], job["status"]) for job in ended} == {
        ("ds-210000000023", "FAILED"),
        (SOURCE, "COMPLETED"),
    }
    (failed,) = (job for job in ended if job["status"] == "FAILED")
    assert "belong to account 210000000034" in str(failed["errors"])
