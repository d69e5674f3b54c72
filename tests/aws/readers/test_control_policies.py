"""Organizations over the wire: which control policies apply to an account, and what becomes of what cannot be read."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.readers.control_policies import (
    ControlPoliciesRead,
    EarlierControlPolicies,
    read_control_policies,
)
from raito_pipeline.storage.cells import ReadStatus
from tests.aws.conftest import Reach
from tests.aws.stand_in import Refused, StandIn, denied, page_of

ONE, TWO, STRANGER, MANAGEMENT = "111122223333", "444455556666", "777788889999", "999988887777"
ORGANIZATION, ROOT, UNIT, INNER = "o-abcdefghij", "r-abcd", "ou-abcd-11111111", "ou-abcd-22222222"
SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
ABOVE = {ONE: UNIT, TWO: INNER, INNER: UNIT, UNIT: ROOT}
EVERYTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
NO_DELETION = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}}'
DOCUMENTS = {"p-FullAWSAccess": EVERYTHING, "p-keep": NO_DELETION, "p-RCPFullAWSAccess": EVERYTHING}
TABLES = ("accounts", "targets", "policies")
Fails = Callable[[str, Mapping[str, Any]], Exception | None]


def organization(enabled: tuple[str, ...] = (SCP,), fails: Fails = lambda _action, _request: None) -> StandIn:
    """One root with two units, one in the other, an account in each; a Deny on the upper unit. Pages of one."""
    types = [{"Type": one, "Status": "ENABLED"} for one in enabled]
    types += [{"Type": one, "Status": "PENDING_DISABLE"} for one in (SCP, RCP) if one not in enabled]
    arn = f"arn:aws:organizations::{MANAGEMENT}:root/{ORGANIZATION}/{ROOT}"

    def parents(request: Mapping[str, Any]) -> Any:
        if request["ChildId"] not in ABOVE:
            raise Refused(400, "ChildNotFoundException")
        above = ABOVE[request["ChildId"]]
        return {"Parents": [{"Id": above, "Type": "ROOT" if above == ROOT else "ORGANIZATIONAL_UNIT"}]}

    def attached(request: Mapping[str, Any]) -> Any:
        own = ["p-FullAWSAccess"] if request["Filter"] == SCP else ["p-RCPFullAWSAccess"]
        own += ["p-keep"] if (request["TargetId"], request["Filter"]) == (UNIT, SCP) else []
        page, token = page_of([{"Id": one} for one in own], 1, request.get("NextToken"))
        return {"Policies": page, **({"NextToken": token} if token else {})}

    def described(request: Mapping[str, Any]) -> Any:
        name = request["PolicyId"]
        kind = RCP if "RCP" in name else SCP
        summary = {"Id": name, "Name": name.removeprefix("p-"), "Type": kind, "AwsManaged": "Full" in name}
        return {"Policy": {"PolicySummary": summary, "Content": DOCUMENTS[name]}}

    handlers = {
        "ListRoots": lambda _: {"Roots": [{"Id": ROOT, "Arn": arn, "Name": "Root", "PolicyTypes": types}]},
        "ListParents": parents,
        "ListPoliciesForTarget": attached,
        "DescribePolicy": described,
    }

    def failing(action: str, handler: Callable[[Mapping[str, Any]], Any]) -> Callable[[Mapping[str, Any]], Any]:
        def answer(request: Mapping[str, Any]) -> Any:
            error = fails(action, request)
            if error is not None:
                raise error
            return handler(request)

        return answer

    return StandIn({f"organizations:{name}": failing(name, handler) for name, handler in handlers.items()})


def read(
    reach: Reach, stand_in: StandIn, *accounts: str, earlier: ControlPoliciesRead | None = None
) -> ControlPoliciesRead:
    before = earlier and EarlierControlPolicies(*(getattr(earlier, table).rows for table in TABLES))
    wanted = frozenset(accounts or (ONE, TWO))
    return read_control_policies(reach(stand_in), "eu-west-1", wanted, ServiceLimits({}), earlier=before)


def rows(found: ControlPoliciesRead) -> tuple[Any, ...]:
    return tuple(getattr(found, table).rows for table in TABLES)


def statuses(found: ControlPoliciesRead) -> set[ReadStatus]:
    return {getattr(found, table).status for table in TABLES}


def test_what_applies_to_each_account_stands_level_by_level(reach: Reach) -> None:
    stand_in = organization()
    found = read(reach, stand_in, ONE, TWO, MANAGEMENT)

    assert statuses(found) == {ReadStatus.COMPLETE}
    places = {row.account_id: (row.management, row.path, row.policy_types) for row in found.accounts.rows}
    assert places == {
        ONE: (False, (ROOT, UNIT), (SCP,)),
        TWO: (False, (ROOT, UNIT, INNER), (SCP,)),
        MANAGEMENT: (True, (), (SCP,)),
    }
    assert {row.organization_id for row in found.accounts.rows} == {ORGANIZATION}
    attached = {(row.target_id, row.target_type, row.policy_id) for row in found.targets.rows}
    assert attached == {
        (ROOT, "ROOT", "p-FullAWSAccess"),
        (UNIT, "ORGANIZATIONAL_UNIT", "p-FullAWSAccess"),
        (UNIT, "ORGANIZATIONAL_UNIT", "p-keep"),
        (INNER, "ORGANIZATIONAL_UNIT", "p-FullAWSAccess"),
        (ONE, "ACCOUNT", "p-FullAWSAccess"),
        (TWO, "ACCOUNT", "p-FullAWSAccess"),
    }
    assert {row.policy_id: (row.name, row.aws_managed, row.document) for row in found.policies.rows} == {
        "p-FullAWSAccess": ("FullAWSAccess", True, EVERYTHING),
        "p-keep": ("keep", False, NO_DELETION),
    }
    # Each account, unit and policy once; the management account is not asked about, nothing applies to it.
    calls = {name.partition(":")[2]: count for name, count in stand_in.calls().items()}
    assert calls == {"ListRoots": 1, "ListParents": 4, "ListPoliciesForTarget": 6, "DescribePolicy": 2}


@pytest.mark.parametrize(
    ("enabled", "policies"),
    [
        ((), set()),
        ((RCP,), {"p-RCPFullAWSAccess"}),
        ((SCP, RCP), {"p-RCPFullAWSAccess", "p-FullAWSAccess", "p-keep"}),
    ],
)
def test_a_type_that_is_not_enabled_has_no_policies(reach: Reach, enabled: tuple[str, ...], policies: set[str]) -> None:
    found = read(reach, organization(enabled))

    assert statuses(found) == {ReadStatus.COMPLETE}
    assert {row.account_id: row.policy_types for row in found.accounts.rows} == {
        ONE: tuple(sorted(enabled)),
        TWO: tuple(sorted(enabled)),
    }
    assert {row.policy_id for row in found.policies.rows} == policies


def test_an_account_of_another_organization_is_named(reach: Reach) -> None:
    found = read(reach, organization(), ONE, STRANGER)

    assert statuses(found) == {ReadStatus.COMPLETE}
    assert [row.account_id for row in found.accounts.rows] == [ONE]
    assert found.hints == (f"account {STRANGER} is no member of the organization: no control policy of it applies",)


UNREAD: dict[str, tuple[Callable[[str, Mapping[str, Any]], bool], str, set[str]]] = {
    "the place of an account": (
        lambda action, request: action == "ListParents" and request["ChildId"] == ONE, "places of accounts", {ONE},
    ),
    "what is above a unit": (
        lambda action, request: action == "ListParents" and request["ChildId"] == INNER, "places of accounts", {TWO},
    ),
    "what is attached to an account": (
        lambda action, request: action == "ListPoliciesForTarget" and request["TargetId"] == ONE,
        "attached control policies", {ONE},
    ),
    "the second page of what is attached to a unit": (
        lambda action, request: action == "ListPoliciesForTarget" and "NextToken" in request,
        "attached control policies", {ONE, TWO},
    ),
    "a document": (
        lambda action, request: action == "DescribePolicy" and request["PolicyId"] == "p-keep",
        "control policies", {ONE, TWO},
    ),
    "all documents": (lambda action, _: action == "DescribePolicy", "control policies", {ONE, TWO}),
    "everything": (lambda _action, _request: True, "control policies of accounts", {ONE, TWO}),
}  # fmt: skip
CODES = ("ServiceException", "TooManyRequestsException", "AccessDeniedException")


@pytest.mark.parametrize(("case", "code"), [(case, CODES[n % len(CODES)]) for n, case in enumerate(UNREAD)])
def test_what_cannot_be_read_is_as_the_previous_sync_stored_it(reach: Reach, case: str, code: str) -> None:
    meant, words, lacking = UNREAD[case]
    whole = read(reach, organization())
    broken = organization(fails=lambda action, request: Refused(400, code) if meant(action, request) else None)

    before = whole
    for _ in range(2):
        found = read(reach, broken, earlier=before)
        assert rows(found) == rows(whole)
        assert statuses(found) == {ReadStatus.PARTIAL}
        for table in TABLES:
            (problem,) = getattr(found, table).problems
            assert problem.startswith(f"{words} were not read, so they are as the previous sync stored them: ")
        before = found

    # Nobody knew them: an account with a gap is missing as a whole, and what is left of the others is right.
    without = read(reach, broken)
    assert {row.account_id for row in without.accounts.rows} == {ONE, TWO} - lacking
    assert statuses(without) <= {ReadStatus.PARTIAL, ReadStatus.DENIED}
    for table in TABLES:
        assert set(getattr(without, table).rows) <= set(getattr(whole, table).rows)


def test_what_two_pages_both_give_is_attached_once(reach: Reach) -> None:
    stand_in = organization()
    plain = stand_in.handlers["organizations:ListPoliciesForTarget"]

    def twice(request: Mapping[str, Any]) -> Any:
        answer = plain(request)
        return {**answer, "Policies": answer["Policies"] * 2}

    stand_in.handlers["organizations:ListPoliciesForTarget"] = twice
    assert rows(read(reach, stand_in)) == rows(read(reach, organization()))


@pytest.mark.parametrize("above", [None, UNIT], ids=["deleted meanwhile", "in a circle"])
def test_an_account_whose_way_to_the_root_is_lost_is_no_stranger(
    reach: Reach, monkeypatch: pytest.MonkeyPatch, above: str | None
) -> None:
    """It is limited all the same: as the previous sync knew, or its limits are not known."""
    whole = read(reach, organization())
    if above is None:
        monkeypatch.delitem(ABOVE, INNER)
    else:
        monkeypatch.setitem(ABOVE, INNER, INNER)

    found = read(reach, organization(), earlier=whole)
    assert rows(found) == rows(whole)
    assert statuses(found) == {ReadStatus.PARTIAL}
    without = read(reach, organization())
    assert {row.account_id for row in without.accounts.rows} == {ONE}
    assert (statuses(without), without.hints) == ({ReadStatus.PARTIAL}, ())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (denied("organizations:ListRoots", "*"), "Grant organizations:ListRoots on * to the credentials, which"),
        (Refused(400, "AWSOrganizationsNotInUseException", "no member"), "AWSOrganizationsNotInUseException"),
    ],
)
def test_what_aws_refuses_and_nobody_knew_is_denied_and_says_why(reach: Reach, error: Refused, words: str) -> None:
    found = read(reach, organization(fails=lambda *_: error))

    assert statuses(found) == {ReadStatus.DENIED}
    assert rows(found) == ((), (), ())
    for table in TABLES:
        (problem,) = getattr(found, table).problems
        assert words in problem


def test_a_policy_type_that_was_disabled_takes_its_policies_with_it(reach: Reach) -> None:
    before = read(reach, organization((SCP, RCP)))
    found = read(reach, organization((RCP,)), earlier=before)

    assert statuses(found) == {ReadStatus.COMPLETE}
    assert {row.policy_type for row in found.targets.rows} == {RCP}


def test_credentials_that_have_ended_leave_the_reader(reach: Reach) -> None:
    ended = Refused(400, "ExpiredTokenException")
    for action in ("ListRoots", "ListParents", "ListPoliciesForTarget", "DescribePolicy"):
        with pytest.raises(AwsCredentialsInvalid):
            read(reach, organization(fails=lambda called, _, action=action: ended if called == action else None))
