"""`raito-pipeline init` and `add-target`: a `raito.yml` of a few answers, which loads and is never written over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from raito_pipeline.config import load
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from tests.aws_profile import OTHERS, write_profile

from .conftest import ACCOUNT, KEY, Run

SECRET = "S3cret-of-init!"
USER = "sync@example.com"


class Bare:
    """An account, a Raito Cloud with a login and nothing in it, and an empty folder."""

    def __init__(self, folder: Path, raito: LocalRaitoCloud) -> None:
        self.folder, self.raito = folder, raito
        self.login = ("--domain", "sandbox", "--raito-url-override", raito.url)


@pytest.fixture(scope="module")
def bare_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    folder = tmp_path_factory.mktemp("init")
    with pytest.MonkeyPatch.context() as patch, EmulatedAws() as aws:
        install_access_key(ACCOUNT, KEY, "not-a-secret")
        client = aws.create_user_pool(USER, SECRET)
        for name, value in write_profile(folder, aws.endpoint_url, key=KEY, region="eu-west-1").items():
            patch.setenv(name, value)
        for name in (*OTHERS, "DAGSTER_HOME", "RAITO_CONFIG_FILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", aws.endpoint_url)
        patch.setenv("RAITO_API_USER", USER)
        patch.setenv("RAITO_API_SECRET", SECRET)
        with LocalRaitoCloud(folder / "raito.sqlite", folder / "files", aws.endpoint_url, client, "sandbox") as raito:
            yield Bare(folder, raito)


@pytest.fixture
def bare(bare_world: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bare:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Bare(tmp_path, bare_world.raito)


ACCOUNT_FLAGS = ("--scope", "account", "--profile", "there", "--regions", "eu-west-1,us-east-1", "--name", "sales")


def test_an_account_of_flags_passes_the_check(bare: Bare, run: Run) -> None:
    status, out = run("init", *bare.login, *ACCOUNT_FLAGS)

    assert (status, "raito.yml is written" in out) == (0, True)
    text = (bare.folder / "raito.yml").read_text()
    assert SECRET not in text
    (target,) = load(bare.folder / "raito.yml").accounts
    assert (target.name, target.account_id, target.regions) == ("sales", ACCOUNT, ("eu-west-1", "us-east-1"))
    assert run("check")[0] == 0


def test_what_is_there_stays(bare: Bare, run: Run) -> None:
    (bare.folder / "raito.yaml").write_text("mine: true\n")
    assert run("init", *bare.login, *ACCOUNT_FLAGS)[0] == 2
    assert sorted(each.name for each in bare.folder.iterdir()) == ["raito.yaml"]


def test_without_a_terminal_a_missing_answer_is_named(bare: Bare, run: Run) -> None:
    assert run("init", *bare.login, "--profile", "there")[0] == 2
    assert list(bare.folder.iterdir()) == []


def test_answers_are_asked_for_at_a_terminal(bare: Bare, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter(["", "", "sandbox", "accounts", "account", "there", "eu-west-1", "asked", "glue", ""])
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda: next(said))

    assert run("init", "--raito-url-override", bare.raito.url)[0] == 0

    (target,) = load(bare.folder / "raito.yml").accounts
    assert (target.name, target.aws_glue_enabled, target.aws_s3_cloudtrail_bucket) == ("asked", True, None)
    assert next(said, None) is None, "`accounts` was no answer, and the question came again"


def test_a_profile_that_reaches_nothing_writes_nothing(bare: Bare, run: Run) -> None:
    assert run("init", *bare.login, *ACCOUNT_FLAGS, "--profile", "nobody")[0] == 1
    assert list(bare.folder.iterdir()) == []


def test_an_organization_is_written_with_its_discovery(bare: Bare, run: Run) -> None:
    flags = ("--scope", "organization", "--profile", "there", "--identity-center-region", "eu-west-1")
    status, _ = run(
        "init", *bare.login, *flags, "--regions", "eu-west-1", "--role", "raito-sync", "--external-id", "acme"
    )

    assert status == 0
    options = load(bare.folder / "raito.yml")
    (organization,), discovery = options.organizations, options.pipeline.discover
    assert (organization.account_id, organization.region, options.accounts) == (ACCOUNT, "eu-west-1", ())
    assert discovery is not None
    assert (discovery.role, discovery.external_id, discovery.names_organization) == ("raito-sync", "acme", True)


def test_a_target_is_added_and_everything_else_stays(bare: Bare, run: Run) -> None:
    run("init", *bare.login, *ACCOUNT_FLAGS)
    file = bare.folder / "raito.yml"
    before = f"# mine\n{file.read_text()}"
    file.write_text(before)
    more = ("--profile", "there", "--regions", "eu-west-1", "--source", "glue", "--cloudtrail-bucket", "trail-logs")

    status, out = run("add-target", "--name", "catalog", *more)

    assert (status, "check --only-targets 'catalog'" in out) == (0, True)
    lines = iter(file.read_text().splitlines())
    assert all(line in lines for line in before.splitlines())
    first, second = load(file).accounts
    assert (first.partition, second.partition) == (ACCOUNT, f"{ACCOUNT}-catalog")
    assert (second.aws_glue_enabled, second.aws_s3_cloudtrail_bucket) == (True, "trail-logs")
    assert first.data_source_id != second.data_source_id
    assert run("check")[0] in (0, 1), "the log bucket is not there"

    after = file.read_text()
    assert run("add-target", "--name", "catalog", *more)[0] == 2, "the name is taken"
    assert file.read_text() == after
