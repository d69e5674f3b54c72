"""Reading under exactly the policies that users have, enforced; and with single actions taken away."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.config import AccountTarget, OrganizationTarget
from raito_pipeline.model import TABLES, Layer, Outside
from raito_pipeline.orchestration.partitioning.grid import cell_of
from raito_pipeline.storage import ReadStatus, Store
from tests.aws_actions import actions_in, actions_of, documented, enforceable
from tests.end_to_end.conftest import SMALL, World, started
from tests.end_to_end.limited import LIMITED_USER, allow, limited_credentials

SIZES = replace(SMALL, users=6, roles=17, policies=6)
"""Each principal is a few calls of every reading of IAM by lists; of each kind there is still more than one."""
S3, GLUE, MASTER = "210000000012", "210000000034", "210000000001"
CELLS: dict[str, tuple[tuple[str, ...], str]] = {
    "iam": (Outside.AWS_IAM.feeds, GLUE),
    "buckets": (("s3_buckets",), S3),
    "bucket policies": (("s3_bucket_policies",), S3),
    "regional": (Layer.REGIONS.tables, f"{S3}|us-east-1"),
    "glue": (Layer.REGIONS.tables, f"{GLUE}|eu-west-1"),
    "organization": (
        tuple(table for table in Layer.ORGANIZATION.tables if table in Outside.AWS_IDENTITY_CENTER.feeds),
        f"{MASTER}_eu-west-1",
    ),
    "control policies": (Outside.AWS_ORGANIZATIONS.feeds, f"{MASTER}_eu-west-1"),
}
"""The steps that read, and the partition in which each is tried."""


def _policies(world: World, kind: str) -> dict[str, Mapping[str, Any]]:
    """By account id: what Raito's guide documents, or what `raito-pipeline info --iam-policy read` prints."""
    options = world.options()
    if kind == "least":
        targets: list[AccountTarget | OrganizationTarget] = [*options.accounts, *options.organizations]
        return {target.account_id: least_policy(target, "read") for target in targets}
    return {S3: documented("account"), GLUE: documented("account"), MASTER: documented("organization")}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The estate, read once with all rights; every test starts with the tables of that reading."""
    folder = tmp_path_factory.mktemp("limited")
    with (
        started(folder, SIZES) as world,
        limited_credentials(world.embedded) as environment,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in environment.items():
            patch.setenv(name, value)
        for tables, key in ((("s3_buckets",), GLUE), *CELLS.values()):
            assert world.materialize(tables, key).success
        shutil.copytree(world.embedded.directory / "data", folder / "whole")
        yield world


def _place(table: str, key: str) -> tuple[str, str | None]:
    cell = cell_of(TABLES[table].partitioned_by, key)
    return cell.account, cell.region


def _rows(folder: Path, table: str, key: str) -> list[dict[str, Any]]:
    """The rows in an order of their own (buckets are listed at once), less those of the user that reads."""
    store = Store.open(folder)
    rows = store.dataset(table, *_place(table, key)).to_table().to_pylist()
    named = [row for row in rows if LIMITED_USER not in (row.get("name"), row.get("principal_name"))]
    return sorted((_unread(table, row) for row in named), key=repr)


def _unread(table: str, row: dict[str, Any]) -> dict[str, Any]:
    # When a log file was read differs from one reading to the next.
    return {name: value for name, value in row.items() if (table, name) != ("cloudtrail_files", "read_at")}


def _read(world: World, step: str, rights: Mapping[str, Any]) -> tuple[set[str], str]:
    """Read a step anew, nothing remembered, with these rights; gives the actions used and what was told."""
    data, (tables, key) = world.embedded.directory / "data", CELLS[step]
    shutil.rmtree(data)
    shutil.copytree(data.parents[1] / "whole", data)
    for table in tables:
        shutil.rmtree(data / table)
    allow(cell_of(TABLES[tables[0]].partitioned_by, key).account, rights)
    mark = world.embedded.aws.calls.mark
    result = world.materialize(tables, key)
    told = [entry.user_message for entry in world.instance.all_logs(result.run_id) if not entry.is_dagster_event]
    return actions_of(world.embedded.aws.calls.since(mark)), "\n".join(told)


USED = {
    ("documented", "iam"): {
        *("iam:GetGroup", "iam:GetGroupPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy"),
        *("iam:GetUser", "iam:GetUserPolicy", "iam:ListEntitiesForPolicy", "iam:ListGroupPolicies", "iam:ListGroups"),
        *("iam:ListPolicies", "iam:ListPolicyTags", "iam:ListRolePolicies", "iam:ListRoles"),
        *("iam:ListUserPolicies", "iam:ListUsers"),
    },
    ("least", "iam"): {"iam:GetAccountAuthorizationDetails", "iam:ListPolicyTags"},
    ("documented", "buckets"): {"s3:GetBucketTagging", "s3:ListAllMyBuckets"},
    ("least", "bucket policies"): {
        *("s3:GetAccountPublicAccessBlock", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy"),
        "s3:GetBucketPublicAccessBlock",
    },
    ("documented", "regional"): {
        *("s3:GetAccessPointPolicy", "s3:GetObject", "s3:ListAccessPoints", "s3:ListBucket", "s3:ListTagsForResource"),
    },
    ("documented", "glue"): {
        *("glue:GetDatabases", "glue:GetTables"),
        *("s3:GetAccessPointPolicy", "s3:GetObject", "s3:ListAccessPoints", "s3:ListBucket", "s3:ListTagsForResource"),
    },
    ("documented", "organization"): {
        *("identitystore:ListGroupMemberships", "identitystore:ListGroups", "identitystore:ListUsers"),
        *("sso:DescribePermissionSet", "sso:ListAccountAssignments", "sso:ListInstances"),
        *("sso:ListPermissionSetsProvisionedToAccount", "sso:ListTagsForResource"),
    },
    ("least", "control policies"): {
        *("organizations:DescribePolicy", "organizations:ListParents", "organizations:ListPoliciesForTarget"),
        "organizations:ListRoots",
    },
}
"""What each step needs under which policy. `least` uses the same as `documented` where it is not named."""
FALLS_BACK = {"iam:ListEntitiesForPolicy"}
"""What is asked in another way where it is denied: nothing is missing, so nothing is told."""


def _used(kind: str, step: str) -> set[str]:
    return USED.get((kind, step)) or USED["documented", step]


POLICIES = [
    (kind, step)
    for step in CELLS
    for kind in ("documented", "least")
    if kind == "least" or step not in ("bucket policies", "control policies")
]


@pytest.mark.parametrize(("kind", "step"), POLICIES)
def test_reading_needs_nothing_beside_the_policy(limited: World, kind: str, step: str) -> None:
    tables, key = CELLS[step]
    policy = _policies(limited, kind)[cell_of(TABLES[tables[0]].partitioned_by, key).account]

    used, told = _read(limited, step, enforceable(policy))

    # The one call for all of IAM is tried first; the documented policy does not allow it.
    assert used - {"iam:GetAccountAuthorizationDetails"} == _used(kind, step) - {"iam:GetAccountAuthorizationDetails"}
    assert "denied" not in told
    data = limited.embedded.directory / "data"
    for table in tables:
        assert _rows(data, table, key) == _rows(data.parents[1] / "whole", table, key), table


def test_what_the_documented_policy_lacks_for_bucket_policies_is_told_and_is_no_column_that_decides(
    limited: World,
) -> None:
    (table,), key = CELLS["bucket policies"]

    _, told = _read(limited, "bucket policies", enforceable(documented("account")))

    lacking = {"s3:GetAccountPublicAccessBlock", "s3:GetBucketOwnershipControls"}
    assert {action for action in USED["least", "bucket policies"] if f"Grant {action}" in told} == lacking
    data = limited.embedded.directory / "data"
    unknown = {"account_public_access_block": None, "acls_off": None}
    whole = _rows(data.parents[1] / "whole", table, key)
    assert _rows(data, table, key) == sorted(({**row, **unknown} for row in whole), key=repr)


def test_the_documented_policy_reads_no_control_policies_and_says_once_which_right_is_missing(limited: World) -> None:
    tables, key = CELLS["control policies"]

    used, told = _read(limited, "control policies", enforceable(documented("organization")))

    assert used == {"organizations:ListRoots"}
    assert told.count("Grant organizations:ListRoots on *") == len(tables)
    assert {limited.store.info(table, *_place(table, key)).status for table in tables} == {ReadStatus.DENIED}  # type: ignore[union-attr]


CASES = [
    pytest.param(kind, step, action, id=f"{kind}-{step}-{action}")
    for (kind, step), actions in USED.items()
    for action in sorted(actions)
]


@pytest.mark.parametrize(("kind", "step", "action"), CASES)
def test_an_action_taken_away_is_named_and_leaves_no_wrong_table(
    limited: World, kind: str, step: str, action: str
) -> None:
    tables, key = CELLS[step]
    policy = _policies(limited, kind)[cell_of(TABLES[tables[0]].partitioned_by, key).account]

    _, told = _read(limited, step, enforceable(policy, without=action))

    assert (action in told) == (action not in FALLS_BACK), told
    data = limited.embedded.directory / "data"
    for table in tables:
        info = limited.store.info(table, *_place(table, key))
        if info is not None and info.complete:
            assert _rows(data, table, key) == _rows(data.parents[1] / "whole", table, key), table


@pytest.mark.parametrize("action", ["glue:GetDatabases", "glue:GetTables"])
def test_usage_on_tables_that_could_not_be_read_is_not_lost(limited: World, action: str) -> None:
    tables, key = CELLS["glue"]
    policy = documented("account")
    _read(limited, "glue", enforceable(policy, without=action))

    allow(GLUE, enforceable(policy))
    assert limited.materialize(tables, key).success

    data = limited.embedded.directory / "data"
    for table in tables:
        assert _rows(data, table, key) == _rows(data.parents[1] / "whole", table, key), table


@pytest.mark.parametrize("account", [S3, GLUE, MASTER])
def test_the_least_policy_holds_nothing_that_reading_does_not_use(limited: World, account: str) -> None:
    """Together with the tests before it: each action is needed, and each is used."""
    steps = {
        S3: ("iam", "buckets", "bucket policies", "regional"),
        GLUE: ("iam", "buckets", "bucket policies", "glue"),
        MASTER: ("organization", "control policies"),
    }[account]
    used = set().union(*(_used("least", step) for step in steps))
    if account == MASTER:
        # Where there are fewer users than groups (`tests/aws/readers/test_identity_store.py`).
        used.add("identitystore:ListGroupMembershipsForMember")
    assert actions_in(_policies(limited, "least")[account]) == used
