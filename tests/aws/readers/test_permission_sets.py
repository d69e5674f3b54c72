"""What the previous sync knew of an instance, and the names that its principals get."""

from dataclasses import replace

from raito_pipeline.aws.readers.permission_sets import EarlierAccess, InstanceAccess
from raito_pipeline.model import OrgAccountAssignment, OrgPermissionSet
from tests.model.test_schema import example_row

INSTANCE, ONE, TWO = "arn:aws:sso:::instance/ssoins-1", "arn:ps-1", "arn:ps-2"


def permission_set(arn: str, *accounts: str, instance: str = INSTANCE) -> OrgPermissionSet:
    return replace(example_row(OrgPermissionSet, null=True), arn=arn, instance_arn=instance, account_ids=accounts)


def assignment(arn: str, account: str, principal: str, kind: str = "USER") -> OrgAccountAssignment:
    return OrgAccountAssignment(account, arn, kind, principal, None)


def test_only_what_is_of_the_instance_stands_in_for_what_cannot_be_read() -> None:
    sets = [permission_set(ONE, "1", "2"), permission_set(TWO, "1", instance="another")]
    rows = [
        assignment(ONE, "1", "u"),
        assignment(ONE, "1", "g", "GROUP"),
        assignment(ONE, "2", "u"),
        assignment(TWO, "1", "u"),
    ]

    before = EarlierAccess.of(INSTANCE, sets, rows)

    assert set(before.permission_sets) == {ONE}
    assert before.assignments == {(ONE, "1"): tuple(rows[:2]), (ONE, "2"): (rows[2],)}
    assert before.pairs_of("2") == [(ONE, "2")]
    assert before.pairs_of("3") == []
    assert EarlierAccess.of(INSTANCE).pairs_of("1") == []


def test_principals_get_the_names_of_the_identity_store_by_kind_and_id() -> None:
    rows = (assignment(ONE, "1", "7"), assignment(ONE, "1", "7", "GROUP"), assignment(ONE, "1", "8"))
    access = InstanceAccess((), rows, (), (), (), ())

    named = access.named({("USER", "7"): "ann", ("GROUP", "7"): "staff"})

    assert [row.principal_name for row in named.assignments] == ["ann", "staff", None]
