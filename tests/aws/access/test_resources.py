"""What policies of resources give directly, principal by principal."""

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.given import CERTAIN
from raito_pipeline.aws.access.resources import claims_by_resource
from raito_pipeline.config.groups import AccessOptions

from .conftest import ACCOUNT, Told, deny, document, trust, user_arn

ARN = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/door"


def read_by(*users: str) -> dict[str, object]:
    return {**trust({"AWS": [user_arn(user) for user in users]}, "s3:GetObject"), "Resource": f"{ARN}/object/*"}


def test_each_principal_has_what_the_policy_gives_to_it() -> None:
    told = Told().user("ann").user("bob").delegates().point("door", read_by("ann", "bob"), read_by("bob"))

    found = claims_by_resource(Account(told.inputs(), AccessOptions()))

    assert found.keys() == {("user", "ann"), ("user", "bob")}
    (grant,) = found["user", "ann"]
    assert set(grant.claims.values()) == {frozenset({(f"accesspoint:{ARN}", CERTAIN)})}
    assert (grant.shared, grant.own, grant.through_point) == ((), (), True)


def test_what_a_deny_elsewhere_takes_is_not_given() -> None:
    told = Told().user("ann").delegates().point("door", read_by("ann"))
    told.inline("user:ann", "no", document(deny("s3:*", "*")))

    assert claims_by_resource(Account(told.inputs(), AccessOptions())) == {}


def test_a_bucket_that_is_no_data_object_gives_nothing() -> None:
    told = Told().user("ann").point("door", read_by("ann"), bucket="hidden")

    assert claims_by_resource(Account(told.inputs(), AccessOptions())) == {}


def test_what_a_bucket_policy_gives_is_given_without_any_access_point() -> None:
    statement = {**trust({"AWS": user_arn("ann")}, "s3:GetObject"), "Resource": "arn:aws:s3:::data/*"}
    told = Told().user("ann").bucket_policy("data", statement)

    found = claims_by_resource(Account(told.inputs(), AccessOptions()))

    (grant,) = found["user", "ann"]
    assert set(grant.claims.values()) == {frozenset({("bucketpolicy:data", CERTAIN)})}
    assert (grant.shared, grant.own, grant.through_point) == ((), (), False)
    told.bucket_policy_use = "deny-only"
    assert claims_by_resource(Account(told.inputs(), AccessOptions())) == {}
