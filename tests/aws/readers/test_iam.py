"""Reading IAM, both ways, over the wire."""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied, AwsError, AwsThrottled, AwsUnreachable
from raito_pipeline.aws.readers.iam import HINT, AccountIam, EarlierIam, read_account
from raito_pipeline.aws.readers.kept_policies import kept_policy
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import IamPolicy, Tag
from raito_pipeline.storage.cells import ReadStatus
from tests.aws.conftest import Reach
from tests.aws.iam_account import (
    NO_S3,
    Account,
    IamAccount,
    account,
    big_account,
    exported_account,
    managed,
    principal,
    s3,
    small_account,
)
from tests.aws.stand_in import ACCOUNT, Dropped, Refused, StandIn
from tests.aws_actions import documented

DETAILS = "iam:GetAccountAuthorizationDetails"
TABLES = ("users", "groups", "roles", "policies", "attachments")


def serve(made: Account, page: int = 1000, *, without: str = "") -> StandIn:
    """A stand-in with this account; `without` is an action that is not granted."""
    stand_in = StandIn(allowed=lambda action, _: action != without)
    IamAccount(made, stand_in, page)
    return stand_in


def tables(read: AccountIam) -> dict[str, Any]:
    return {name: getattr(read, name).rows for name in TABLES}


def one(read: AccountIam, table: str, **wanted: Any) -> Any:
    found = [row for row in getattr(read, table).rows if all(getattr(row, k) == v for k, v in wanted.items())]
    assert len(found) == 1, found
    return found[0]


SETTINGS = {
    "defaults": IamOptions(),
    "user excluded": IamOptions(aws_user_excludes=(NamePattern("b.t"),)),
    "policy excluded": IamOptions(aws_access_managed_policy_excludes=(NamePattern("read.*"),)),
    "without user inline": IamOptions(aws_access_skip_user_inline_policies=True),
    "without group inline": IamOptions(aws_access_skip_group_inline_policies=True),
    "without managed": IamOptions(aws_access_skip_managed_policies=True),
    "without AWS managed": IamOptions(aws_access_skip_aws_managed_policies=True),
    "without IAM access": IamOptions(aws_access_skip_iam=True),
}


def _same_both_ways(reach: Reach, made: Account, settings: IamOptions, page: int) -> None:
    details = read_account(reach(serve(made, page)), settings)
    lists = read_account(reach(serve(made, page, without=DETAILS)), settings)
    assert tables(details) == tables(lists)
    assert [getattr(details, t).status for t in TABLES] == [getattr(lists, t).status for t in TABLES]
    assert (details.hints, lists.hints) == ((), (HINT,))


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("page", [1000, 3])
def test_both_ways_give_identical_reads(reach: Reach, settings: IamOptions, page: int) -> None:
    _same_both_ways(reach, small_account(), settings, page)


@pytest.mark.parametrize("number", range(len(SETTINGS)), ids=SETTINGS)
def test_both_ways_give_identical_reads_of_a_real_account(reach: Reach, number: int) -> None:
    """With each of the settings an eighth of its principals, so that in all everybody is read."""
    part = exported_account(slice(number, None, len(SETTINGS)))
    _same_both_ways(reach, part, list(SETTINGS.values())[number], 3 if number % 2 else 1000)


def test_rows_of_a_small_account(reach: Reach) -> None:
    read = read_account(reach(serve(small_account())), IamOptions())
    zoe = one(read, "users", user_name="zoe")
    assert zoe.tags == (Tag("a", "1"), Tag("b", ""), Tag("email", "zoe@example.org"))
    assert zoe.group_names == ("data", "ops")
    assert zoe.create_date.isoformat() == "2026-01-02T03:04:05+00:00"
    fence = f"arn:aws:iam::{ACCOUNT}:policy/fence"
    assert one(read, "users", user_name="bot").permissions_boundary_arn == fence
    assert one(read, "roles", role_name="etl").permissions_boundary_arn == fence
    assert one(read, "roles", role_name="etl").tags == (Tag("creator", "RAITO"),)
    assert json.loads(one(read, "roles", role_name="etl").trust_policy)["Statement"]["Effect"] == "Allow"
    reads = one(read, "policies", policy_name="reads")
    assert (reads.attachment_count, reads.default_version_id, reads.tags) == (2, "v2", (Tag("team", "a"),))
    assert json.loads(reads.document) == s3()
    assert one(read, "attachments", principal_name="zoe", policy_name="b").document == "{not json %"
    assert json.loads(one(read, "attachments", policy_name="ünï").document) == s3("s3:*")
    assert {row.policy_name: row.tags for row in read.policies.rows} == {
        "reads": (Tag("team", "a"),),
        "writes": (Tag("aaa", ""), Tag("creator", "RAITO")),
        "ec2": None,  # names nothing of S3
        "loose": None,  # attached to nobody
        "fence": None,  # a boundary only
        "AmazonS3ReadOnlyAccess": None,  # of AWS
    }
    assert all(getattr(read, table).status is ReadStatus.COMPLETE for table in TABLES)


def test_the_order_of_the_answers_does_not_matter(reach: Reach) -> None:
    made, shuffled = small_account(), small_account()
    for key in shuffled:
        random.Random(1).shuffle(shuffled[key])
        for row in shuffled[key]:
            for part in row.values():
                if isinstance(part, list):
                    part.reverse()
    assert tables(read_account(reach(serve(made)), IamOptions())) == tables(
        read_account(reach(serve(shuffled)), IamOptions())
    )


LISTS = ("iam:GetGroup", "iam:ListEntitiesForPolicy", "iam:ListPolicyTags", "iam:ListUsers", "iam:ListUserPolicies")


@pytest.mark.parametrize("action", ["iam:GetAccountAuthorizationDetails", *LISTS])
def test_what_two_pages_both_give_is_there_once(reach: Reach, action: str) -> None:
    stand_in = serve(small_account(), without=DETAILS if action in LISTS else "")
    plain = stand_in.handlers[action]

    def twice(request: Mapping[str, Any]) -> Any:
        return {key: value * 2 if isinstance(value, list) else value for key, value in plain(request).items()}

    stand_in.handlers[action] = twice
    assert tables(read_account(reach(stand_in), IamOptions())) == tables(
        read_account(reach(serve(small_account())), IamOptions())
    )


def test_excluded_users_keep_their_name_groups_and_policies(reach: Reach) -> None:
    read = read_account(reach(serve(small_account())), IamOptions(aws_user_excludes=(NamePattern("zoe|nobody"),)))
    assert one(read, "users", user_name="zoe").tags == ()
    assert one(read, "users", user_name="zoe").group_names == ("data", "ops")
    assert [row.policy_name for row in read.attachments.rows if row.principal_name == "zoe"] == ["b", "w", "reads"]
    assert one(read, "users", user_name="bot").tags


@pytest.mark.parametrize("without", ["", DETAILS])
@pytest.mark.parametrize("settings", [each for name, each in SETTINGS.items() if name != "without IAM access"], ids=str)
def test_policies_that_options_leave_out_of_the_import_are_read_for_their_denies(
    reach: Reach, without: str, settings: IamOptions
) -> None:
    read = read_account(reach(serve(small_account(), without=without)), settings)
    everything = read_account(reach(serve(small_account())), IamOptions())
    assert read.attachments.rows == everything.attachments.rows
    assert [row.document for row in read.policies.rows] == [row.document for row in everything.policies.rows]


def test_what_the_options_leave_out_is_out_of_scope_and_not_asked(reach: Reach) -> None:
    stand_in = serve(small_account(), without=DETAILS)
    read = read_account(reach(stand_in), IamOptions(aws_access_skip_iam=True))
    assert (read.policies.status, read.attachments.status) == (ReadStatus.OUT_OF_SCOPE, ReadStatus.OUT_OF_SCOPE)
    assert (read.policies.rows, read.attachments.rows) == ((), ())
    assert not [action for action in stand_in.calls() if "Polic" in action]
    assert len(read.users.rows) == 3


# --- what it costs -------------------------------------------------------------------------------------------------


def test_a_big_account_takes_two_pages_and_a_tag_read_for_each_importable_policy(reach: Reach) -> None:
    stand_in = serve(big_account(policies=60), page=800)
    clients = reach(stand_in)
    first = read_account(clients, IamOptions())
    assert stand_in.calls() == {DETAILS: 2, "iam:ListPolicyTags": 60}
    assert sum(clients.calls.values()) == 62
    stand_in.log.clear()
    second = read_account(clients, IamOptions(), earlier=EarlierIam(policies=first.policies.rows))
    assert stand_in.calls() == {DETAILS: 2}
    assert tables(first) == tables(second)


def test_a_big_account_by_lists_stays_within_its_calls_and_asks_nothing_twice(reach: Reach) -> None:
    """A tenth of the account that `make bench` reads, and a tenth of the calls."""
    size = (50, 5, 50, 30)
    stand_in = serve(big_account(*size), without=DETAILS)
    clients = reach(stand_in)
    first = read_account(clients, IamOptions())
    assert sum(stand_in.calls().values()) <= 3700 / 10
    asked = [(call.action, json.dumps(call.request, sort_keys=True)) for call in stand_in.log]
    assert len(asked) == len(set(asked))
    assert tables(first) == tables(read_account(reach(serve(big_account(*size))), IamOptions()))
    assert {action for action in stand_in.calls() if action != DETAILS} <= granted()

    stand_in.log.clear()
    again = read_account(clients, IamOptions(), earlier=EarlierIam(policies=first.policies.rows))
    assert tables(again) == tables(first)
    assert {"iam:ListPolicyTags", "iam:GetPolicyVersion"}.isdisjoint(stand_in.calls())


def test_a_new_version_of_a_policy_has_its_tags_read_again(reach: Reach) -> None:
    made = account(
        principal("User", "u", attached=(f"arn:aws:iam::{ACCOUNT}:policy/p",)),
        policies=(managed("p", s3(), tags={"k": "new"}),),
    )
    known = read_account(reach(serve(made)), IamOptions()).policies.rows[0]
    earlier = EarlierIam(policies=[replace(known, default_version_id="v1", tags=(Tag("k", "old"),))])
    assert known.default_version_id != "v1"
    read = read_account(reach(serve(made)), IamOptions(), earlier=earlier)
    assert read.policies.rows[0].tags == (Tag("k", "new"),)


@pytest.mark.parametrize(
    ("users", "direction"), [(2, "iam:ListAttachedUserPolicies"), (40, "iam:ListEntitiesForPolicy")]
)
def test_attachments_are_asked_in_the_cheaper_direction(reach: Reach, users: int, direction: str) -> None:
    arns = tuple(f"arn:aws:iam::{ACCOUNT}:policy/p{n}" for n in range(5))
    made = account(
        *(principal("User", f"u{n}", attached=arns) for n in range(users)),
        policies=tuple(managed(f"p{n}", NO_S3) for n in range(5)),
    )
    stand_in = serve(made, without=DETAILS)
    read = read_account(reach(stand_in), IamOptions())
    assert len(read.attachments.rows) == 5 * users
    asked = {action for action in stand_in.calls() if "Attached" in action or "Entities" in action}
    assert asked == {direction}


# --- what is refused -----------------------------------------------------------------------------------------------

MANDATORY = [
    "iam:ListUsers", "iam:ListGroups", "iam:ListRoles", "iam:ListPolicies", "iam:GetUser", "iam:GetGroup",
    "iam:GetRole", "iam:ListUserPolicies", "iam:ListGroupPolicies", "iam:ListRolePolicies", "iam:GetUserPolicy",
    "iam:GetGroupPolicy", "iam:GetRolePolicy", "iam:GetPolicyVersion",
]  # fmt: skip


@pytest.mark.parametrize("action", MANDATORY)
def test_a_denied_mandatory_action_is_an_error_that_names_it(reach: Reach, action: str) -> None:
    stand_in = serve(small_account())
    stand_in.allowed = lambda asked, _: asked not in (action, DETAILS)
    with pytest.raises(AwsDenied) as error:
        read_account(reach(stand_in), IamOptions())
    assert error.value.action == action
    wanted = rf"{action} on (arn:aws:iam::(\w*):\S+): AWS denied the call \(AccessDenied\)\. Grant {action} on \1 "
    wanted += r"to the credentials\. Or grant iam:GetAccountAuthorizationDetails on \*, .+"
    assert re.fullmatch(wanted, str(error.value))


@pytest.mark.parametrize("without", ["", DETAILS])
def test_denied_policy_tags_are_one_problem_and_the_policies_stay(reach: Reach, without: str) -> None:
    stand_in = serve(small_account())
    stand_in.allowed = lambda action, _: action not in (without, "iam:ListPolicyTags")
    read = read_account(reach(stand_in), IamOptions())
    assert read.policies.status is ReadStatus.PARTIAL
    (problem,) = read.policies.problems
    assert f"iam:ListPolicyTags on arn:aws:iam::{ACCOUNT}:policy/reads" in problem
    assert problem.endswith("The same for 1 more.")
    assert len(read.policies.rows) == 6
    assert read.attachments.status is ReadStatus.COMPLETE


def test_without_entities_of_a_policy_the_attachments_are_asked_by_principal(reach: Reach) -> None:
    many = big_account(users=20, groups=2, roles=10, policies=5)
    whole = read_account(reach(serve(many)), IamOptions())
    stand_in = serve(many)
    stand_in.allowed = lambda action, _: action not in (DETAILS, "iam:ListEntitiesForPolicy")
    assert tables(read_account(reach(stand_in), IamOptions())) == tables(whole)
    assert stand_in.calls()["iam:ListEntitiesForPolicy"] == 1


def granted() -> set[str]:
    statement = documented("account")["Statement"][0]
    assert statement["Resource"] == "arn:aws:iam::${Account}:*"
    return set(statement["Action"])


def under_the_documented_policy(account: Account) -> StandIn:
    actions, stand_in = granted(), serve(account)
    stand_in.allowed = lambda action, resource: action in actions and resource.startswith(f"arn:aws:iam::{ACCOUNT}:")
    return stand_in


def of_aws(read: AccountIam) -> dict[str, IamPolicy]:
    return {row.policy_name: row for row in read.policies.rows if row.aws_managed}


OF_AWS = "AmazonS3ReadOnlyAccess"


def with_policy_of_aws(name: str, version: str) -> Account:
    """A user with one policy of AWS in a version, whose document AWS does not let anybody read."""
    policy = {**managed(name, s3("s3:Secret"), owner="aws"), "DefaultVersionId": version}
    policy["PolicyVersionList"][0]["VersionId"] = version
    return account(principal("User", "ann", attached=(policy["Arn"],)), policies=(policy,))


def test_under_the_documented_policy_the_documents_of_aws_are_those_of_the_kept_copy(reach: Reach) -> None:
    kept = kept_policy(f"arn:aws:iam::aws:policy/{OF_AWS}")
    assert kept is not None
    stand_in = under_the_documented_policy(with_policy_of_aws(OF_AWS, kept.version_id))
    before = EarlierIam()
    for asked in (1, 1):  # the second sync knows the version, and does not ask for it again
        read = read_account(reach(stand_in), IamOptions(), earlier=before)
        assert read.policies.status is ReadStatus.COMPLETE
        row = of_aws(read)[OF_AWS]
        assert (row.document, row.document_as_of) == (kept.document, kept.as_of.isoformat())
        assert (row.default_version_id, row.document_version_id) == (kept.version_id, None)
        assert stand_in.calls()["iam:GetPolicyVersion"] == asked
        before = EarlierIam(policies=read.policies.rows)


def test_a_version_that_the_kept_copy_does_not_have_says_which_one_its_document_is_of(reach: Reach) -> None:
    kept = kept_policy(f"arn:aws:iam::aws:policy/{OF_AWS}")
    assert kept is not None
    stand_in = under_the_documented_policy(with_policy_of_aws(OF_AWS, "v99"))
    before = EarlierIam()
    for asked in (1, 2):  # AWS may let it be read one day
        read = read_account(reach(stand_in), IamOptions(), earlier=before)
        row = of_aws(read)[OF_AWS]
        assert (row.default_version_id, row.document_version_id) == ("v99", kept.version_id)
        assert (row.document, row.document_as_of) == (kept.document, kept.as_of.isoformat())
        assert stand_in.calls()["iam:GetPolicyVersion"] == asked
        before = EarlierIam(policies=read.policies.rows)
    stand_in.allowed = lambda action, _: action != DETAILS
    row = of_aws(read_account(reach(stand_in), IamOptions(), earlier=before))[OF_AWS]
    assert ("s3:Secret" in row.document, row.document_as_of, row.document_version_id) == (True, None, None)


def test_under_the_documented_policy_only_what_nobody_has_is_missing_and_told(reach: Reach) -> None:
    read = read_account(reach(under_the_documented_policy(with_policy_of_aws("Unheard", "v1"))), IamOptions())
    assert read.policies.status is ReadStatus.PARTIAL
    assert "iam:GetPolicyVersion on arn:aws:iam::aws:policy/Unheard" in read.policies.problems[0]
    assert read.policies.rows == ()
    assert len(read.attachments.rows) == 1


# --- what breaks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Refused(400, "Throttling", "Rate exceeded"), AwsThrottled),
        (Refused(503, "ServiceUnavailable"), AwsUnreachable),
        (Dropped(), AwsUnreachable),
        (Refused(403, "AccessDenied"), AwsDenied),
    ],
)
@pytest.mark.parametrize("action", ["iam:ListUsers", "iam:GetRole", "iam:ListEntitiesForPolicy", "iam:ListPolicyTags"])
def test_a_call_that_fails_for_good_is_never_a_shorter_table(
    reach: Reach, action: str, fault: Exception, error: type[AwsError]
) -> None:
    stand_in = serve(big_account(users=30, groups=3, roles=8, policies=6), page=10, without=DETAILS)
    stand_in.faults = {(action, nth): fault for nth in range(2, 100)}
    if action == "iam:ListPolicyTags":
        read = read_account(reach(stand_in), IamOptions())
        assert read.policies.status is ReadStatus.PARTIAL
        return
    with pytest.raises(error):
        read_account(reach(stand_in), IamOptions())


@pytest.mark.parametrize("fault", [Refused(400, "Throttling"), Refused(503, "ServiceUnavailable"), Dropped()])
def test_a_failed_second_page_of_the_details_fails_the_read(reach: Reach, fault: Exception) -> None:
    stand_in = serve(small_account(), page=5)
    stand_in.faults = {(DETAILS, 2): fault}
    with pytest.raises(AwsError):
        read_account(reach(stand_in), IamOptions())
    assert set(stand_in.calls()) == {DETAILS}


def test_a_throttle_that_passes_is_retried_and_nothing_is_lost(reach: Reach) -> None:
    stand_in = serve(small_account(), page=5)
    stand_in.faults = {(DETAILS, 2): Refused(400, "Throttling", "Rate exceeded")}
    clients = reach(stand_in, attempts=2)
    assert tables(read_account(clients, IamOptions())) == tables(
        read_account(reach(serve(small_account())), IamOptions())
    )
    assert clients.calls["iam:GetAccountAuthorizationDetails"] == 4


def test_a_page_that_announces_more_without_a_way_to_it_fails_the_read(reach: Reach) -> None:
    stand_in = serve(small_account())
    stand_in.handlers[DETAILS] = lambda _: {"UserDetailList": [], "IsTruncated": True}
    with pytest.raises(AwsUnreachable, match="announced another page"):
        read_account(reach(stand_in), IamOptions())


@pytest.mark.parametrize("action", ["iam:GetUser", "iam:ListRolePolicies", "iam:GetGroup", "iam:GetUserPolicy"])
def test_what_is_deleted_while_it_is_read_is_gone_and_no_error(reach: Reach, action: str) -> None:
    stand_in = serve(small_account(), without=DETAILS)
    stand_in.faults = {(action, 1): Refused(404, "NoSuchEntity")}
    read = read_account(reach(stand_in), IamOptions())
    whole = read_account(reach(serve(small_account())), IamOptions())
    assert all(getattr(read, table).status is ReadStatus.COMPLETE for table in TABLES)
    lost = [table for table in TABLES if len(getattr(read, table).rows) < len(getattr(whole, table).rows)]
    table = {"U": "users", "R": "roles", "G": "groups"}[re.sub("iam:(Get|List)", "", action)[0]]
    assert lost[0] == (table if action != "iam:GetUserPolicy" else "attachments")
    names = {row.user_name for row in read.users.rows} | {row.role_name for row in read.roles.rows}
    names |= {row.group_name for row in read.groups.rows}
    assert {row.principal_name for row in read.attachments.rows} <= names


def test_progress_is_told(reach: Reach) -> None:
    told: list[tuple[str, int, int | None]] = []
    read_account(reach(serve(small_account(), page=5)), IamOptions(), lambda *one: told.append(one))
    assert ("account details", 3, None) in told
    assert ("policy tags", 2, 2) in told


def test_the_real_export_is_read_whole(reach: Reach) -> None:
    made = exported_account()
    read = read_account(reach(serve(made)), IamOptions())
    assert len(read.users.rows) == len(made["UserDetailList"])
    assert len(read.groups.rows) == len(made["GroupDetailList"])
    assert len(read.roles.rows) == len(made["RoleDetailList"])
    everybody = [*made["UserDetailList"], *made["GroupDetailList"], *made["RoleDetailList"]]
    inline = sum(len(one.get(key, [])) for one in everybody for key in one if key.endswith("PolicyList"))
    attached = sum(len(one["AttachedManagedPolicies"]) for one in everybody)
    assert len(read.attachments.rows) == inline + attached
    assert {row.arn for row in read.policies.rows} == {
        one["Arn"] for one in made["Policies"] if ":aws:policy/" not in one["Arn"] or one["AttachmentCount"]
    }
    assert isinstance(reach(serve(made)), AwsClients)
