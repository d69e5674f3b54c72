"""Working out who reaches what in a large account: `python -m tests.bench.effective_work TABLE FOLDER`.

The stored tables are made first, in the same process. Prints a JSON object: CPU and wall seconds of the table alone,
peak of the memory in MB of the whole process, rows, bytes. TABLE is `access_providers`, `access_basis` (with the access
providers that it is of) or `effective_access`.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import basis_batches
from raito_pipeline.aws.access.build import traced_access_providers
from raito_pipeline.aws.access.effective import effective_batches
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions, OrganizationLink
from raito_pipeline.model import (
    AccessProvider,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    OrgAccountAssignment,
    OrgPermissionSet,
    OrgUser,
    S3Bucket,
    S3BucketPolicy,
)
from raito_pipeline.model.schema import to_batch
from raito_pipeline.storage import Store
from tests.bench.process import tell

ACCOUNT, WHEN = "111122223333", datetime(2026, 1, 1, tzinfo=UTC)
USERS, GROUPS, ROLES, POLICIES, BUCKETS, PEOPLE, SETS = 500, 50, 500, 300, 100, 1_000, 20
LINK = OrganizationLink(profile="p", region="eu-west-1", instance_arn="arn:i", identity_store_id="d-1")
Statement = dict[str, Any]


def _document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _statement(effect: str, action: Any, resource: Any, **more: Any) -> Statement:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def _bucket(number: int) -> str:
    return f"arn:aws:s3:::bucket-{number % BUCKETS:02}"


def _policy(number: int) -> str:
    """One in ten is about the whole account, one in ten denies something, one in twenty has a condition."""
    here, kind = _bucket(number), number % 20
    if kind in (0, 1):
        return _document(_statement("Allow", ["s3:*"] if kind == 0 else ["s3:Get*", "s3:List*"], "*"))
    if kind == 2:
        return _document(_statement("Deny", "s3:*", [here, f"{here}/*"]), _statement("Allow", "s3:Get*", f"{here}/a/*"))
    if kind == 3:
        mfa = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
        return _document(_statement("Deny", "s3:Delete*", "*", Condition=mfa), _statement("Allow", "s3:*", f"{here}/*"))
    if kind == 4:
        office = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
        return _document(_statement("Allow", "s3:*", [here, f"{here}/*"], Condition=office))
    wide = f"arn:aws:s3:::bucket-{number % 10}*"
    more = [_statement("Allow", ["s3:GetObject", "s3:ListBucket"], [wide, f"{wide}/*"])] if kind == 5 else []
    return _document(_statement("Allow", ["s3:GetObject", "s3:PutObject"], f"{here}/team-{number}/*"), *more)


def _trust(number: int) -> str:
    trusted = [f"arn:aws:iam::{ACCOUNT}:user/user-{(number + step) % USERS}" for step in range(3)]
    trusted.append(f"arn:aws:iam::{ACCOUNT}:role/role-{(number + 1) % ROLES}" if number % 5 else trusted[0])
    return _document({"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"})


def _role_name(number: int) -> str:
    return f"AWSReservedSSO_set-{number}_{number:016x}" if number < SETS else f"role-{number}"


def _attachments() -> Iterator[IamAttachment]:
    def managed(kind: str, name: str, number: int) -> IamAttachment:
        policy = f"policy-{number % POLICIES}"
        return IamAttachment(kind, name, "managed", policy, f"arn:aws:iam::{ACCOUNT}:policy/{policy}", None)

    for number in range(USERS):
        yield managed("user", f"user-{number}", number * 7)
        if number % 5 == 0:
            text = _document(_statement("Allow", "s3:GetObject", f"{_bucket(number)}/home/${{aws:username}}/*"))
            yield IamAttachment("user", f"user-{number}", "inline", "home", None, text)
    for number in range(GROUPS):
        yield from (managed("group", f"group-{number}", number * 3 + step * 101) for step in range(3))
    for number in range(ROLES):
        yield managed("role", _role_name(number), number * 11)
        text = _document(_statement("Allow", "s3:*Object", f"{_bucket(number)}/role/*"))
        yield IamAttachment("role", _role_name(number), "inline", "own", None, text)


def _bucket_policy(number: int) -> str:
    """Every bucket wants TLS, and one in five a VPC endpoint."""
    here = _bucket(number)
    conditions = [{"Bool": {"aws:SecureTransport": "false"}}]
    conditions += [{"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}] if number % 5 == 0 else []
    return _document(
        *(_statement("Deny", "s3:*", [here, f"{here}/*"], Principal="*", Condition=each) for each in conditions)
    )


def large_account() -> AccessInputs:
    """The stored tables of the account."""
    return AccessInputs(
        account_id=ACCOUNT,
        users=[
            IamUser(
                f"AIDA{n}",
                f"user-{n}",
                f"arn:aws:iam::{ACCOUNT}:user/user-{n}",
                "/",
                WHEN,
                (f"group-{n % GROUPS}", f"group-{n * 3 % GROUPS}"),
                f"arn:aws:iam::{ACCOUNT}:policy/policy-1" if n % 25 == 0 else None,
                (),
            )
            for n in range(USERS)
        ],
        groups=[IamGroup(f"AGPA{n}", f"group-{n}", f"arn:g{n}", "/", WHEN) for n in range(GROUPS)],
        roles=[
            IamRole(
                f"AROA{n}",
                _role_name(n),
                f"arn:aws:iam::{ACCOUNT}:role/{_role_name(n)}",
                "/",
                WHEN,
                _trust(n),
                None,
                (),
            )
            for n in range(ROLES)
        ],
        policies=[
            IamPolicy(
                f"ANPA{n}",
                f"policy-{n}",
                f"arn:aws:iam::{ACCOUNT}:policy/policy-{n}",
                "/",
                False,
                "v1",
                1,
                _policy(n),
                (),
            )
            for n in range(POLICIES)
        ],
        attachments=list(_attachments()),
        buckets=[S3Bucket(f"bucket-{n:02}", "eu-west-1", WHEN, True, ()) for n in range(BUCKETS)],
        access_points=(),
        bucket_policies=[
            S3BucketPolicy(f"bucket-{n:02}", WHEN, _bucket_policy(n), True, None, None, None) for n in range(BUCKETS)
        ],
        permission_sets=[
            OrgPermissionSet("arn:i", f"arn:set-{n}", f"set-{n}", "", (), (ACCOUNT,)) for n in range(SETS)
        ],
        assignments=[OrgAccountAssignment(ACCOUNT, f"arn:set-{n}", "GROUP", f"g-{n}", f"g-{n}") for n in range(SETS)],
    )


def people() -> list[OrgUser]:
    """People who have two permission sets each by their groups."""
    return [
        OrgUser("d-1", f"u-{n}", f"person-{n}", "", None, (f"g-{n % SETS}", f"g-{n * 7 % SETS}")) for n in range(PEOPLE)
    ]


def _providers(account: Account) -> Iterable[pa.RecordBatch]:
    rows = (each.row for each in traced_access_providers(account, ACCESS_PROVIDER_TYPES.imported))
    return [to_batch(AccessProvider, rows)]


def _basis(account: Account) -> Iterable[pa.RecordBatch]:
    return basis_batches(traced_access_providers(account, ACCESS_PROVIDER_TYPES.imported))


TABLES: dict[str, Callable[[Account], Iterable[pa.RecordBatch]]] = {
    "access_providers": _providers,
    "access_basis": _basis,
    "effective_access": lambda account: effective_batches(account, people()),
}


def main(table: str, folder: str) -> None:
    """Make one table and print what it took."""
    inputs, options = large_account(), AccessOptions(organization=LINK)

    def work() -> dict[str, int]:
        with Store.open(Path(folder)).writer(table, ACCOUNT) as writer:
            for batch in TABLES[table](Account(inputs, options)):
                writer.write_batch(batch)
        assert writer.info is not None
        return {"rows": writer.info.rows, "bytes": writer.info.bytes}

    tell(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
