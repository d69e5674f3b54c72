"""Bucket policies as limits: each is about its own bucket, and what is not known of one is said where it counts."""

from typing import Any

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.bucket_documents import bucket_documents, denies_reaching
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider

from .conftest import ACCOUNT, Told, allow, deny, document, role_arn, user_arn, what

DATA, OTHER = "arn:aws:s3:::data", "arn:aws:s3:::other"
HERE, THERE = f"{ACCOUNT}:eu-west-1:data", f"{ACCOUNT}:us-east-1:other"
BOTH = document(allow(["s3:GetObject", "s3:DeleteObject"], [f"{DATA}/*", f"{OTHER}/*"]))
ALL = ("s3:DeleteObject", "s3:GetObject")


def people() -> Told:
    return Told().user("ann").user("bob").policy("both", BOTH, "user:ann", "user:bob")


def shown(told: Told) -> AccessProvider:
    return told.build()["policy:both"]


def denies(*statements: dict[str, Any]) -> AccessProvider:
    return shown(people().bucket_policy("data", *statements))


def test_a_deny_without_condition_takes_away_in_its_bucket_alone() -> None:
    row = denies(deny("s3:DeleteObject", f"{DATA}/*", Principal="*"))

    assert what(row) == {HERE: ("s3:GetObject",), THERE: ALL}
    assert row.who_users == ("ann", "bob")


def test_whatever_its_resources_say_a_bucket_policy_is_about_its_bucket() -> None:
    for resources in ({"Resource": "*"}, {"Resource": "arn:aws:s3:::*"}, {"NotResource": f"{DATA}/public/*"}):
        statement = {**deny("s3:DeleteObject", "*", Principal="*")}
        del statement["Resource"]
        assert what(denies({**statement, **resources}))[THERE] == ALL, resources


GET_THERE = ("s3:GetObject",)


def test_what_a_bucket_policy_spares_in_its_bucket_is_left() -> None:
    def left(key: str, spared: Any) -> dict[str, tuple[str, ...]]:
        told = Told().user("ann").inline("user:ann", "own", document(allow("s3:GetObject", f"{DATA}/{key}*")))
        statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "NotResource": spared}
        return what(told.bucket_policy("data", statement).build()["user:ann|inline:own|"])

    assert left("", f"{DATA}/*") == {HERE: GET_THERE}
    assert left("", f"{DATA}/public/*") == {f"{HERE}/public": GET_THERE}
    assert left("x/", f"{DATA}/public/*") == {}
    assert left("public/x/", f"{DATA}/public/*") == {f"{HERE}/public/x": GET_THERE}
    assert left("", DATA) == left("", OTHER) == {}


def test_what_a_pattern_is_about_in_other_buckets_too_is_denied_in_this_one_alone() -> None:
    def left(key: str, denied: str) -> dict[str, tuple[str, ...]]:
        own = document(allow("s3:GetObject", [f"{DATA}/{key}*", f"{OTHER}/{key}*"]))
        told = Told().user("ann").inline("user:ann", "own", own)
        statement = deny("s3:*", denied, Principal="*")
        return what(told.bucket_policy("data", statement).build()["user:ann|inline:own|"])

    both = {HERE: GET_THERE, THERE: GET_THERE}
    assert left("", "arn:aws:s3:::d*/x/*") == both
    assert left("x/", "arn:aws:s3:::*/x/*") == {f"{THERE}/x": GET_THERE}
    assert left("y/", "arn:aws:s3:::*/x/*") == {f"{HERE}/y": GET_THERE, f"{THERE}/y": GET_THERE}
    assert left("", "arn:aws:s3:::d*") == {THERE: GET_THERE}


def test_resources_of_other_buckets_in_a_bucket_policy_mean_nothing() -> None:
    assert what(denies(deny("s3:*", [OTHER, f"{OTHER}/*", "arn:aws:sqs:::q"], Principal="*"))) == {
        HERE: ALL,
        THERE: ALL,
    }


def test_a_conditional_deny_is_a_reason_of_what_it_may_touch() -> None:
    condition = {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
    told = people().bucket_policy("data", deny("s3:*", f"{DATA}/*", Principal="*", Condition=condition))
    told.policy("elsewhere", document(allow("s3:GetObject", f"{OTHER}/*")), "user:ann")
    rows = told.build()

    (reason,) = rows["policy:both"].reasons_wider
    assert reason.startswith("bucket policy of data, statement 1: Deny under a condition (StringNotEquals")
    assert rows["policy:elsewhere"].reasons_wider == ()


def test_a_deny_without_tls_is_no_reason_to_doubt() -> None:
    row = denies(deny("s3:*", [DATA, f"{DATA}/*"], Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}))

    assert what(row) == {HERE: ALL, THERE: ALL}
    assert not row.incomplete


def test_sessions_of_a_role_that_are_denied_are_a_reason() -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/jobs/night"
    told = Told().role("jobs").inline("role:jobs", "own", BOTH)
    row = told.bucket_policy("data", deny("s3:*", f"{DATA}/*", Principal={"AWS": session})).build()["role:jobs"]

    assert what(row) == {HERE: ALL, THERE: ALL}
    assert "some of its sessions" in row.reasons_wider[0]


def test_a_group_is_denied_what_all_of_its_members_are() -> None:
    told = Told().group("staff").user("ann", "staff").user("bob", "staff").policy("both", BOTH, "group:staff")
    told.bucket_policy("data", deny("s3:*", f"{DATA}/*", Principal={"AWS": [user_arn("ann"), user_arn("bob")]}))
    assert what(shown(told)) == {THERE: ALL}

    some = Told().group("staff").user("ann", "staff").user("bob", "staff").policy("both", BOTH, "group:staff")
    some.bucket_policy("data", deny("s3:*", f"{DATA}/*", Principal={"AWS": user_arn("ann")}))
    row = shown(some)
    assert (row.who_groups, what(row)) == (("staff",), {HERE: ALL, THERE: ALL})
    assert "ann" in row.reasons_wider[0]


def test_a_group_is_warned_of_what_whoever_joins_it_is_denied() -> None:
    told = Told().group("staff").user("ann", "staff").policy("both", BOTH, "group:staff")
    spared = {"AWS": [user_arn("ann"), f"arn:aws:iam::{ACCOUNT}:root"]}
    all_but_ann = deny("s3:*", f"{DATA}/*") | {"NotPrincipal": spared}
    row = shown(told.bucket_policy("data", all_but_ann))

    assert what(row) == {HERE: ALL, THERE: ALL}
    assert "whoever else joins group staff" in row.reasons_wider[0]


def test_a_group_without_members_is_denied_what_everybody_is() -> None:
    told = Told().group("staff").policy("both", BOTH, "group:staff")

    assert what(shown(told.bucket_policy("data", deny("s3:*", f"{DATA}/*", Principal="*")))) == {THERE: ALL}


def test_policies_that_were_not_read_are_one_reason_of_whatever_is_in_their_buckets() -> None:
    told = people().bucket_policy("data", policy=None, policy_read=False)
    told.policy("elsewhere", document(allow("s3:GetObject", f"{OTHER}/*")), "user:ann")
    told.policy("everywhere", document(allow("s3:GetObject", "*")), "user:ann")
    rows = told.build()

    for name in ("policy:both", "policy:everywhere"):
        assert rows[name].reasons_wider == ("bucket policies were not read (data), and may deny something",)
    assert not rows["policy:elsewhere"].incomplete


def test_many_that_were_not_read_are_named_in_part() -> None:
    told = people()
    for number in range(8):
        told.bucket(f"b{number}").bucket_policy(f"b{number}", policy=None, policy_read=False)
    row = told.policy("all", document(allow("s3:GetObject", "*")), "user:ann").build()["policy:all"]

    assert row.reasons_wider == (
        "bucket policies were not read (b0, b1, b2, b3, b4 and 3 more), and may deny something",
    )


def test_a_policy_that_cannot_be_read_may_deny_something() -> None:
    row = shown(people().bucket_policy("data", text='{"Version": "2012-10-17", "Statement": 1}'))

    assert any(reason.startswith("bucket policy of data: ") for reason in row.reasons_wider)


def test_policies_of_buckets_that_are_no_data_objects_count_for_nothing() -> None:
    row = shown(people().bucket_policy("hidden", deny("s3:*", "*", Principal="*")))

    assert (what(row), row.incomplete) == ({HERE: ALL, THERE: ALL}, False)


def test_the_same_denies_are_one_document_for_all_whom_they_reach() -> None:
    told = (
        people()
        .role("jobs")
        .bucket_policy(
            "data",
            deny("s3:PutObject", f"{DATA}/*", Principal="*"),
            deny("s3:DeleteObject", f"{DATA}/*", Principal={"AWS": role_arn("jobs")}),
        )
    )
    account = Account(told.inputs(), AccessOptions())
    ann, bob, jobs = (denies_reaching(account, who) for who in (("user", "ann"), ("user", "bob"), ("role", "jobs")))

    assert ann[0][1] is bob[0][1]
    assert [len(found[0][1].statements) for found in (ann, jobs)] == [1, 2]
    assert bucket_documents(account) is bucket_documents(account)
