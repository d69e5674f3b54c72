"""Who has an access provider, in the names of Raito Cloud."""

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.who import WhoNames, who_of_principals
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.config.patterns import NamePattern

from .conftest import LINK, Told

RESERVED = "AWSReservedSSO_Analysts_0123456789abcdef"
ACCOUNT = Told().user("bob").user("ada").group("staff").role("jobs").role(RESERVED).inputs()
PRINCIPALS = [("user", "bob"), ("role", "jobs"), ("group", "staff"), ("user", "ada"), ("role", RESERVED)]


def test_users_and_groups_by_name_and_roles_as_access_providers_in_order() -> None:
    who = who_of_principals(Account(ACCOUNT, AccessOptions(organization=LINK)), PRINCIPALS)

    assert who == WhoNames(("ada", "bob"), ("staff",), ("role:jobs", f"ssorole:{RESERVED}"))


def test_without_an_organization_the_role_of_a_permission_set_is_a_role() -> None:
    who = who_of_principals(Account(ACCOUNT, AccessOptions()), PRINCIPALS)

    assert who.access_providers == (f"role:{RESERVED}", "role:jobs")


def test_a_role_that_is_left_out_is_somebody_who_cannot_be_named() -> None:
    options = AccessOptions(aws_access_role_excludes=(NamePattern("jobs"),))
    who = who_of_principals(Account(ACCOUNT, options), [("role", "jobs")])

    assert (who.users, who.access_providers) == ((), None)
    (reason,) = who.reasons
    assert (reason.code, "role jobs has it too" in reason.text) == (Code.WHO, True)
