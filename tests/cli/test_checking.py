"""Whether a sync can work: each thing is checked, and what does not work is said with what to do, over the wire."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from raito_pipeline.cli.checking import LOGIN, Checks, Stops, TargetCheck, nothing_to_sync
from raito_pipeline.cli.gather import places_of
from raito_pipeline.config import Options, load
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.identity_center import set_identity_center_home

from .conftest import ACCOUNT, REGION, PushedAccount, Run


@pytest.fixture
def configured(pushed_account: PushedAccount) -> Iterator[PushedAccount]:
    pushed_account.configure()
    yield pushed_account
    pushed_account.aws.faults.clear()


def options_of(account: PushedAccount) -> Options:
    return load(account.folder / "raito.yml")


def findings(options: Options, *, full: bool = False) -> tuple[TargetCheck, ...]:
    return Checks(Services(options), full=full).findings(places_of(options))


def test_what_works_is_checked_in_two_calls_of_aws_at_most(configured: PushedAccount) -> None:
    mark = configured.aws.calls.mark

    found = findings(options_of(configured))

    assert [each for each in found if each.problem] == []
    assert [each.what for each in found][:2] == ["storage", LOGIN]
    assert "AWS credentials" in [each.what for each in found]
    assert len(configured.aws.calls.since(mark)) <= 2
    assert [call for call in configured.aws.calls.since(mark) if call.writes] == []


def test_the_full_check_also_tries_regions_and_rights(configured: PushedAccount) -> None:
    configured.aws.faults.add(Fault(kind="deny", service="iam", operation="GetAccountAuthorizationDetails"))

    found = findings(options_of(configured), full=True)

    assert "region eu-west-1" in [each.what for each in found]
    (denied,) = [each for each in found if each.problem]
    assert (denied.what, denied.stops) == ("iam:GetAccountAuthorizationDetails", Stops.PART)
    assert "Grant iam:GetAccountAuthorizationDetails" in str(denied.problem)


def test_a_storage_that_cannot_be_written_stops_everything_and_nothing_else_is_asked(configured: PushedAccount) -> None:
    (configured.folder / "no-folder").write_text("")
    text = (configured.folder / "raito.yml").read_text()
    (configured.folder / "raito.yml").write_text(
        text.replace(str(configured.folder / "data"), str(configured.folder / "no-folder"))
    )
    mark = configured.aws.calls.mark

    (storage,) = findings(options_of(configured))

    assert (storage.what, storage.stops) == ("storage", Stops.EVERYTHING)
    assert storage.problem
    assert configured.aws.calls.since(mark) == []


def test_a_data_source_that_is_not_there_stops_its_target_and_names_the_option(configured: PushedAccount) -> None:
    file = configured.folder / "raito.yml"
    source = next(iter(configured.ids.data_sources.values()))
    file.write_text(file.read_text().replace(f"data-source-id: {source}", "data-source-id: ds-nowhere"))

    (problem,) = [each for each in findings(options_of(configured)) if each.problem]

    assert (problem.stops, "Correct data-source-id" in str(problem.problem)) == (Stops.TARGET, True)


def test_credentials_of_nobody_stop_their_target(configured: PushedAccount) -> None:
    configured.aws.faults.add(Fault(kind="expired"))

    (problem,) = [each for each in findings(options_of(configured)) if each.problem]

    assert (problem.what, problem.stops) == ("AWS credentials", Stops.TARGET)


INSTANCE, STORE = "arn:aws:sso:::instance/ssoins-1234567890abcdef", "d-1234567890"
LINK = """\
  aws-organization-profile: {profile}
  aws-organization-region: {region}
  aws-organization-identity-center-instance-arn: {instance}
  aws-organization-identity-store: {store}
"""
RIGHT = {"profile": "there", "region": REGION, "instance": INSTANCE, "store": STORE}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, None),
        ({"store": f"arn:aws:identitystore::{ACCOUNT}:identitystore/{STORE}"}, None),
        ({"store": "the-store-of-raito"}, "Correct aws-organization-identity-store"),
        ({"instance": f"{INSTANCE[:-1]}0"}, f"(there is: {INSTANCE})"),
        ({"region": "us-east-1"}, "or aws-organization-region"),
        ({"profile": "nobody"}, "The config profile (nobody) could not be found"),
    ],
)
def test_what_an_account_says_of_identity_center_is_compared_with_what_is_there(
    configured: PushedAccount, wrong: dict[str, str], said: str | None
) -> None:
    with configured.aws.lock:
        set_identity_center_home(ACCOUNT, REGION, INSTANCE, STORE)
    file = configured.folder / "raito.yml"
    file.write_text(file.read_text() + LINK.format(**{**RIGHT, **wrong}))

    found = [each for each in findings(options_of(configured), full=True) if each.what == "Identity Center"]

    assert [each.stops for each in found] == [Stops.PART]
    if said is None:
        assert found[0].problem is None
    else:
        assert said in str(found[0].problem)


OF_OTHERS = """\
api-user: sync@example.com
api-secret: nothing
domain: sandbox
targets:
- name: warehouse
  connector-name: raito-io/cli-plugin-snowflake
"""
DISCOVER = """\
pipeline: {discover: {role: raito, target: {aws-regions: eu-west-1}}}
"""


@pytest.mark.parametrize(
    ("text", "advice"), [(OF_OTHERS, "add-target"), (OF_OTHERS + DISCOVER, "raito-pipeline discover --write")]
)
def test_a_file_without_anything_to_sync_is_said_by_the_check_and_by_the_sync(
    tmp_path: Path, run: Run, text: str, advice: str
) -> None:
    file = tmp_path / "raito.yml"
    file.write_text(text)
    options = load(file)

    said = nothing_to_sync(options)

    assert said is not None
    assert advice in said
    [finding] = Checks(Services(options), full=True).findings(places_of(options))
    assert (finding.problem, finding.stops) == (said, Stops.EVERYTHING)
    assert run("check", "--config-file", str(file))[0] == 1
    status, printed = run("run", "--config-file", str(file))
    assert status == 2
    assert advice in " ".join(printed.split())
