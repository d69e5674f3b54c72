"""Control policies of the organization: what they leave of access, whatever gives it."""

from typing import Any

import pytest

from raito_pipeline.model import AccessProvider

from .conftest import (
    ACCOUNT,
    READ,
    RESOURCE,
    ROOT,
    UNIT,
    Told,
    allow,
    deny,
    document,
    trust,
    user_arn,
    what,
)

GIVEN = document(
    allow(["s3:GetObject", "s3:PutObject", "s3:DeleteBucket"], ["arn:aws:s3:::data", "arn:aws:s3:::data/*"])
)
DATA, DATA_ARN = f"{ACCOUNT}:eu-west-1:data", "arn:aws:s3:::data"
POINT = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/o"
FEDERATED = trust({"AWS": user_arn("ada")})


def account() -> Told:
    """A member account in which everything that can give access gives the same."""
    told = Told().user("ada").user("bob", "g").group("g").role("r", FEDERATED).role("worker", FEDERATED)
    told.policy("p", GIVEN, "user:ada", "role:worker").policy("q", GIVEN, "group:g").inline("user:ada", "own", GIVEN)
    told.inline("group:g", "own", GIVEN).inline("role:r", "own", GIVEN)
    named = {"Principal": {"AWS": user_arn("ada")}}
    return told.point("o", {**allow(["s3:GetObject", "s3:PutObject"], f"{POINT}/object/*"), **named})


def permissions(row: AccessProvider) -> set[str]:
    return {name for names in what(row).values() for name in names}


def given(told: Told) -> dict[str, set[str]]:
    return {name: permissions(row) for name, row in told.build().items()}


WHOLE = given(account())


def test_full_access_at_every_level_changes_nothing() -> None:
    assert account().organization().build() == account().build()


@pytest.mark.parametrize("node", [ROOT, UNIT, ACCOUNT])
@pytest.mark.parametrize("kind", ["SERVICE_CONTROL_POLICY", RESOURCE])
def test_a_deny_at_any_level_takes_away_from_whatever_gives_it(node: str, kind: str) -> None:
    told = (
        account()
        .organization()
        .control("no", document(deny(["s3:DeleteBucket", "s3:PutObject"], "*")), node, kind=kind)
    )
    assert given(told) == {name: names - {"s3:DeleteBucket", "s3:PutObject"} for name, names in WHOLE.items()}


def test_a_deny_on_one_bucket_leaves_the_others() -> None:
    told = Told().user("ada").policy("p", document(allow("s3:GetObject", "*")), "user:ada").organization()
    row = told.control("no", document(deny("s3:GetObject", "arn:aws:s3:::data/*")), UNIT).build()["policy:p"]
    assert set(what(row)) == {f"{ACCOUNT}:us-east-1:other"}


def test_what_is_attached_elsewhere_does_not_apply() -> None:
    told = account().organization().control("no", document(deny("s3:*", "*")), "ou-1234-other", "444455556666")
    assert told.build() == account().build()


def test_the_management_account_is_not_limited() -> None:
    told = account().organization(management=True).control("no", document(deny("s3:*", "*")), ROOT, ACCOUNT)
    assert told.build() == account().build()


def test_an_account_whose_place_is_not_known_is_not_limited() -> None:
    told = account().control("no", document(deny("s3:*", "*")), ROOT, ACCOUNT)
    assert told.build() == account().build()


def test_a_service_linked_role_is_not_limited_and_others_are() -> None:
    told = Told().organization().control("no", document(deny("s3:PutObject", "*")), UNIT)
    paths = {
        "AWSServiceRoleForX": "/aws-service-role/x.amazonaws.com/",
        "AWSServiceRoleForFun": "/",
        "r": "/aws-reserved/",
    }
    for name, path in paths.items():
        told.role(name, FEDERATED, path=path).inline(f"role:{name}", "own", GIVEN)
    told.user("ada")
    got = {name: "s3:PutObject" in names for name, names in given(told).items()}
    assert got == {"role:AWSServiceRoleForX": True, "role:AWSServiceRoleForFun": False, "role:r": False}


def test_who_may_not_assume_roles_by_a_control_policy_does_not_have_them() -> None:
    assert account().organization().build()["role:r"].who_users == ("ada",)
    told = account().organization().control("no", document(deny("sts:AssumeRole", "*")), UNIT)
    assert told.build()["role:r"].who_users == ()


LISTS: dict[str, tuple[dict[str, list[str]], set[str]]] = {
    "one level allows a part": ({UNIT: ["s3:Get*"]}, {"s3:GetObject"}),
    "two policies of one level": ({UNIT: ["s3:Get*", "s3:Delete*"]}, {"s3:GetObject", "s3:DeleteBucket"}),
    "two levels allow different things": ({UNIT: ["s3:Get*"], ACCOUNT: ["s3:Put*"]}, set()),
    "each level has to allow": ({ROOT: ["s3:*"], UNIT: ["s3:Get*", "s3:Put*"], ACCOUNT: ["s3:Get*"]}, {"s3:GetObject"}),
    "nothing of S3": ({ROOT: ["ec2:*"]}, set()),
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_each_level_has_to_allow(case: str) -> None:
    levels, left = LISTS[case]
    told = account().organization(full=False)
    for node in (ROOT, UNIT, ACCOUNT):
        for number, action in enumerate(levels.get(node, ["*"])):
            told.control(f"{node}-{number}", document(allow(action, "*")), node)
    assert {name: names for name, names in given(told).items() if names} == {
        name: names & left for name, names in WHOLE.items() if names & left
    }


MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}


def test_a_deny_under_a_condition_is_a_reason_of_what_it_touches_and_of_nothing_else() -> None:
    told = account().organization().control("mfa", document(deny("s3:DeleteBucket", "*", Condition=MFA)), UNIT, ROOT)
    assert given(told) == WHOLE
    for name, row in told.build().items():
        wider = [reason for reason in row.reasons_wider if "service control policy mfa, statement 1" in reason]
        assert len(wider) == ("s3:DeleteBucket" in WHOLE[name]), name
        assert len(row.reasons_wider) == len(wider)


GUARD = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}
EXEMPT = {"Effect": "Deny", "NotAction": ["iam:*", "s3:*", "sts:*"], "Resource": "*", "Condition": GUARD}


def test_a_guard_of_regions_that_exempts_s3_is_no_reason_at_all() -> None:
    assert account().organization().control("regions", document(EXEMPT), ROOT).build() == account().build()


def test_a_guard_of_regions_denies_in_others_and_is_no_reason_at_home() -> None:
    given_everywhere = Told().user("ada").policy("p", document(allow("s3:*", "*")), "user:ada").organization()
    guard = document(deny("s3:*", "*", Condition=GUARD))
    row = given_everywhere.control("regions", guard, ROOT).build()["policy:p"]
    home = what(row)[DATA]
    assert "s3:GetObject" in home
    # Asked in a region that is allowed, the list of buckets is given.
    assert set(what(row)) == {DATA, ACCOUNT}
    assert "s3:ListAllMyBuckets" in what(row)[ACCOUNT]
    assert not set(what(row)[ACCOUNT]) & set(home)
    assert row.reasons_wider == ()

    at_home = Told().user("ada").policy("p", READ, "user:ada")
    before = at_home.build()
    assert at_home.organization().control("regions", guard, ROOT).build() == before


def test_a_guard_of_regions_spares_whom_it_names() -> None:
    """The guard of AWS Control Tower: a role is exempt by its ARN."""
    exempt = {"ArnNotLike": {"aws:PrincipalARN": ["arn:aws:iam::*:role/AdminRole"]}}
    told = Told().user("ada").organization()
    everything = document(allow("s3:GetObject", "*"))
    for name in ("AdminRole", "other"):
        told.role(name, FEDERATED).inline(f"role:{name}", "own", everything)
    rows = told.control("regions", document(deny("s3:*", "*", Condition={**GUARD, **exempt})), ROOT).build()
    assert set(what(rows["role:AdminRole"])) == {ACCOUNT}
    assert set(what(rows["role:other"])) == {DATA}
    assert rows["role:AdminRole"].reasons_wider == rows["role:other"].reasons_wider == ()


def test_a_perimeter_around_the_organization_is_no_limit_for_its_own_people() -> None:
    """A resource control policy that denies whoever is of another organization."""
    condition = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    told = account().organization()
    told.control("perimeter", document(deny("s3:*", "*", Condition=condition)), ROOT, kind=RESOURCE)
    assert told.build() == account().organization().build()


@pytest.mark.parametrize(("unit", "denied"), [(UNIT, False), ("ou-1234-other", True)])
def test_a_perimeter_around_a_unit_is_known_by_the_path_of_the_account(unit: str, denied: bool) -> None:
    path = f"o-1234567890/{ROOT}/{unit}/*"
    condition = {"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": [path]}}
    told = account().organization()
    told.control("perimeter", document(deny("s3:*", "*", Condition=condition)), ROOT, kind=RESOURCE)
    assert any(names for names in given(told).values()) is not denied
    assert not any(row.reasons_wider for row in told.build().values())


def test_a_document_that_cannot_be_read_may_deny_anything() -> None:
    rows = account().organization().control("broken", "{", UNIT).build()
    assert given(account().organization().control("broken", "{", UNIT)) == WHOLE
    assert sum(bool(row.what) for row in rows.values()) == 6
    for row in (row for row in rows.values() if row.what):
        assert "service control policy broken: the document is not JSON: it may deny something" in row.reasons_wider


def test_what_limits_everybody_alike_leaves_nobody_out_of_a_who() -> None:
    told = Told().user("ada").user("bob").policy("p", GIVEN, "user:ada", "user:bob").organization()
    row = told.control("no", document(deny("s3:DeleteBucket", "*")), UNIT).build()["policy:p"]
    assert row.who_users == ("ada", "bob")
    assert permissions(row) == {"s3:GetObject", "s3:PutObject"}


OPEN = allow("s3:GetObject", f"{DATA_ARN}/*", Principal="*")
OTHER = allow("s3:GetObject", f"{DATA_ARN}/*", Principal={"AWS": "arn:aws:iam::444455556666:role/etl"})
STRANGERS = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"}}
NOT_HERE = {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}
NO_ETL = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::444455556666:role/*"}}


@pytest.mark.parametrize("way", ["resource control policy", "bucket policy"])
@pytest.mark.parametrize(
    ("opened", "denied", "code", "said"),
    [
        (OTHER, deny("s3:*", "*"), "", ""),
        (OTHER, deny("s3:Get*", f"{DATA_ARN}/*", Condition=NO_ETL), "", ""),
        (OTHER, deny("s3:*", "*", Condition=NOT_HERE), "", ""),
        (OTHER, deny("s3:Put*", "*"), "reasons_who", "is of another account"),
        (OTHER, deny("s3:Get*", f"{DATA_ARN}/a/*"), "reasons_who", "is of another account; {}, statement"),
        (OTHER, deny("s3:*", "*", Condition=STRANGERS), "reasons_who", "is of another account; {}, statement"),
        (OPEN, deny("s3:*", "*", Condition=STRANGERS), "reasons_who", "also outside of the account; {}, statement"),
        (OPEN, deny("s3:*", "*"), "", ""),
    ],
    ids=[
        "everything",
        "by its ARN",
        "by its account",
        "something else",
        "a part",
        "strangers, to one",
        "strangers, to all",
        "everybody",
    ],
)
def test_denies_count_for_whoever_is_of_another_account(
    opened: dict[str, Any], denied: dict[str, Any], code: str, said: str, way: str
) -> None:
    told = Told().user("ada").organization()
    if way == "bucket policy":
        told.bucket_policy("data", opened, denied | {"Principal": "*"})
        name = "bucket policy of data"
    else:
        told.bucket_policy("data", opened).control("edge", document(denied), ROOT, kind=RESOURCE)
        name = "resource control policy edge"
    rows = told.build()

    if not code:
        assert rows == {}, "it gives nobody anything"
    else:
        assert any(said.format(name) in text for text in getattr(rows["bucketpolicy:data"], code))


def test_a_perimeter_leaves_whoever_the_policy_of_a_bucket_names_in_the_account() -> None:
    told = Told().user("ada").organization().bucket_policy("data", OPEN)
    told.control("edge", document(deny("s3:*", "*", Condition=STRANGERS)), ROOT, kind=RESOURCE)

    row = told.build()["bucketpolicy:data"]

    assert (row.who_users, set(what(row)), row.reasons_wider) == (("ada",), {DATA}, ())
