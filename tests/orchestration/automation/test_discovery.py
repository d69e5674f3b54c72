"""Discovery on an organization of emulated accounts: what becomes of each, what is made, and that twice is once."""

from collections.abc import Iterator
from datetime import date

import pytest
import yaml

from raito_pipeline.aws.connection.clients import AwsError
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.config import Options, load
from raito_pipeline.orchestration.automation.discovery import (
    Carried,
    DiscoveryPlan,
    DiscoveryVerdict,
    NoDiscovery,
    plan_of,
    work_of,
)
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.sandbox.aws.estate.large_organization import add_member
from raito_pipeline.sandbox.aws.faults import Fault
from tests.member_organization import MASTER, MemberOrganization, member_organization

TODAY = date(2026, 11, 26)
MEMBERS = 24


@pytest.fixture(scope="module")
def shared_organization(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemberOrganization]:
    with member_organization(tmp_path_factory.mktemp("organization"), MEMBERS) as organization:
        yield organization


@pytest.fixture
def organization(shared_organization: MemberOrganization) -> MemberOrganization:
    shared_organization.configure()
    shared_organization.aws.faults.clear()
    return shared_organization


def options(organization: MemberOrganization) -> Options:
    return load(organization.file, only_targets=())


def plan(organization: MemberOrganization) -> DiscoveryPlan:
    return plan_of(Services(options(organization)), limits=ServiceLimits({}))


def written(organization: MemberOrganization) -> tuple[Carried, dict[str, int]]:
    services = Services(options(organization))
    work = work_of(services, TODAY)
    return work.carry_out(plan_of(services, limits=ServiceLimits({}))), dict(work.set_up.made)


def ids(plan: DiscoveryPlan, verdict: DiscoveryVerdict) -> list[str]:
    return [account.account_id for account in plan.of(verdict)]


def test_every_open_account_becomes_a_target_once(organization: MemberOrganization) -> None:
    first, made = written(organization)
    open_members = [one for one in organization.made.accounts if one not in organization.made.closed]
    assert list(first.added) == sorted([MASTER, *open_members])
    assert made["CreateDataSource"] == len(first.added)
    assert made["AddIdentityStoreToDataSource"] == 2 * len(first.added), "its own store, and that of the organization"

    text, targets = organization.discovered.read_text(), {t.account_id: t for t in options(organization).accounts}
    assert set(targets) == set(first.added)
    assert targets[MASTER].role is None
    member = targets[open_members[0]]
    assert (member.name, member.profile, member.partition) == ("team-0000", "there", open_members[0])
    assert Services(options(organization)).aws(member).caller_arn().endswith("assumed-role/raito-sync/raito-pipeline")

    again, made = written(organization)
    assert (again, made) == (Carried((), ()), {})
    assert organization.discovered.read_text() == text
    assert plan(organization).changes == 0


def test_a_file_that_was_lost_leads_to_the_same_data_sources(organization: MemberOrganization) -> None:
    written(organization)
    before = yaml.safe_load(organization.discovered.read_text())
    organization.discovered.unlink()

    _, made = written(organization)

    assert made == {}
    assert yaml.safe_load(organization.discovered.read_text()) == before


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        (("units: production/analytics",), range(1, MEMBERS, 3)),
        (("units: production",), [n for n in range(MEMBERS) if n % 3 < 2]),
        (("exclude-units: analytics,sandboxes", f"exclude-accounts: '{MASTER}'"), range(0, MEMBERS, 3)),
        (("names: team-000.",), range(10)),
        (("names: team-.*", "exclude-names: team-00[01].+"), range(20, MEMBERS)),
        (("names: team-.*", "tags: stage:live"), range(0, MEMBERS, 2)),
        (("names: team-000.", "exclude-tags: stage:live,stage:other"), range(1, 10, 2)),
        (("accounts: 310000000003,310000000004",), (3, 4)),
    ],
)
def test_filters_choose_accounts_and_the_others_say_why(
    organization: MemberOrganization, filters: tuple[str, ...], chosen: list[int]
) -> None:
    organization.configure(*filters)

    found = plan(organization)

    wanted = [organization.made.accounts[number] for number in chosen]
    assert ids(found, DiscoveryVerdict.NEW) == [one for one in wanted if one not in organization.made.closed]
    left_out = found.of(DiscoveryVerdict.LEFT_OUT)
    assert left_out
    names = {line.partition(":")[0] for line in filters}
    assert all(any(f"`{name}`" in account.why for name in names) for account in left_out)


def test_only_what_decides_is_asked(organization: MemberOrganization) -> None:
    def calls(*filters: str) -> list[str]:
        organization.configure(*filters)
        mark = organization.aws.calls.mark
        plan(organization)
        return [one.removeprefix("organizations:") for one in organization.calls(mark) if "organizations:" in one]

    assert calls() == ["ListAccounts"] * 2, "25 accounts are two pages"
    assert calls("names: team-0001", "tags: stage:test") == [*["ListAccounts"] * 2, "ListTagsForResource"]
    by_unit = calls("units: sandboxes")
    assert set(by_unit) == {"ListRoots", "ListAccountsForParent", "ListOrganizationalUnitsForParent"}
    assert len(by_unit) == 1 + 2 * 4, "the root and three units"


def test_an_account_that_closes_or_leaves_is_said_and_stays_a_target(organization: MemberOrganization) -> None:
    written(organization)
    keys = [target.partition for target in options(organization).accounts]
    backend = organization.backend
    closing, leaving = (backend.get_account_by_id(organization.made.accounts[number]) for number in (1, 2))
    try:
        closing.status = closing.state = "PENDING_CLOSURE"
        backend.accounts.remove(leaving)
        found = plan(organization)
        (closed,) = [one for one in found.of(DiscoveryVerdict.CLOSED) if one.target]
        (gone,) = found.of(DiscoveryVerdict.GONE)
        assert (closed.account_id, closed.mark, gone.account_id) == (closing.id, "closed", leaving.id)
        assert "PENDING_CLOSURE" in closed.why
        assert "forget" in gone.why

        assert written(organization)[0] == Carried((), (closing.id,))
        assert written(organization)[0] == Carried((), ())
        assert [target.partition for target in options(organization).accounts] == keys
        assert options(organization).account(closing.id).closed == "2026-11-26"
    finally:
        closing.status = closing.state = "ACTIVE"
        backend.accounts.append(leaving)
    assert written(organization)[0] == Carried((), (closing.id,)), "open again"
    assert options(organization).account(closing.id).closed is None


def test_an_account_that_a_filter_leaves_out_later_stays_a_target(organization: MemberOrganization) -> None:
    written(organization)
    kept = organization.discovered.read_text()
    organization.configure("names: team-0000")
    organization.discovered.write_text(kept)

    found = plan(organization)

    assert found.changes == 0
    known = {account.account_id: account.why for account in found.of(DiscoveryVerdict.KNOWN)}
    assert known[organization.made.accounts[0]] == ""
    assert "its target stays" in known[organization.made.accounts[1]]


def test_accounts_of_one_name_and_names_that_a_list_cannot_hold(organization: MemberOrganization) -> None:
    backend = organization.backend
    added = [add_member(backend, f"32000000000{n}", name, backend.ou[0].id)
             for n, name in enumerate(("team-0000", "a, b", "<c>"))]  # fmt: skip
    try:
        written(organization)
        names = {target.account_id: target.name for target in options(organization).accounts}
    finally:
        for account in added:
            backend.accounts.remove(account)
    assert [names[account.id] for account in added] == ["team-0000 320000000000", "a b", "c 320000000002"]


def test_a_page_that_fails_makes_nothing(organization: MemberOrganization) -> None:
    organization.aws.faults.add(Fault(kind="deny", service="organizations", operation="ListAccounts", skip=1))
    with pytest.raises(AwsError, match="organizations:ListAccounts"):
        written(organization)
    assert not organization.discovered.exists()


def test_without_the_option_it_says_what_to_write(organization: MemberOrganization) -> None:
    text = organization.file.read_text()
    organization.file.write_text(text[: text.index("  discover:")])
    with pytest.raises(NoDiscovery, match="discover"):
        plan(organization)
