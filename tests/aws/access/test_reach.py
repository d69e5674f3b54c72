"""What one principal reaches itself: once for all who have the same, and each alone where it matters."""

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.reach import reach_of
from raito_pipeline.config.groups import AccessOptions

from .conftest import READ, Told, allow, document


def test_who_has_the_same_policies_shares_one_result() -> None:
    told = Told().group("staff").user("ann", "staff").user("bob", "staff").policy("p", READ, "group:staff")
    account = Account(told.inputs(), AccessOptions())

    assert reach_of(account, ("user", "ann")) is reach_of(account, ("user", "bob"))


def test_permissions_that_are_given_alike_are_one_entry() -> None:
    told = Told().user("ann").policy("p", document(allow(["s3:GetObject", "s3:PutObject"], "*")), "user:ann")

    (reach,) = reach_of(Account(told.inputs(), AccessOptions()), ("user", "ann"))

    assert (reach.permissions, reach.through, reach.conditions) == (("s3:GetObject", "s3:PutObject"), ("policy:p",), ())
