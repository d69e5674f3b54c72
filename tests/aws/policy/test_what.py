"""What policy documents give: one named case a rule, with the document, the expected rows and the reasons."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.policy import Scope, What, read_document, what_of
from raito_pipeline.aws.policy.permissions import permissions
from raito_pipeline.aws.policy.resources import BucketResource
from raito_pipeline.aws.policy.what import by_target

BUCKETS = ("data-one", "data-two", "logs")
GET, LIST, PUT = "s3:GetObject", "s3:ListBucket", "s3:PutObject"
Rows = dict[tuple[str, str], set[str]]


def scope(partition: str = "aws", depth: int | None = 20) -> Scope:
    places = tuple(BucketResource.of_bucket(name) for name in BUCKETS)
    return Scope(partition, places, (BucketResource.of_bucket("excluded"),), folder_depth=depth)


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def arn(path: str, partition: str = "aws") -> str:
    return f"arn:{partition}:s3:::{path}"


def told(what: What) -> tuple[str, ...]:
    return tuple(reason.text for reason in what.reasons)


def read(statements: Any, within: Scope | None = None) -> tuple[Rows, tuple[str, ...]]:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    found = what_of([("p", read_document(text))], within or scope())
    return {(target.bucket, target.path): set(names) for target, names in by_target(found.claims)}, told(found)


EVERYTHING = {p.name for p in permissions()}
ON_OBJECTS = {p.name for p in permissions() if p.on_object}
ON_BUCKETS = {p.name for p in permissions() if p.on_bucket}

CASES: dict[str, tuple[Any, Rows, str | None]] = {
    # name: (statements, rows, a part of the one reason or None where nothing is incomplete)
    "everything on everything is the account": (allow("*", "*"), {("", ""): EVERYTHING}, None),
    "all buckets by ARN are the account": (allow(GET, arn("*")), {("", ""): {GET}}, None),
    "all objects are the account, for actions on objects": (allow([GET, LIST], arn("*/*")), {("", ""): {GET}}, None),
    "a bucket": (allow(LIST, arn("logs")), {("logs", ""): {LIST}}, None),
    "the objects of a bucket": (allow(GET, arn("logs/*")), {("logs", ""): {GET}}, None),
    "an action on objects says nothing of the bucket itself": (allow(GET, arn("logs")), {}, None),
    "an action on buckets says nothing of the objects": (allow(LIST, arn("logs/*")), {}, None),
    "a folder": (allow(GET, arn("logs/a/b/*")), {("logs", "a/b"): {GET}}, None),
    "better: actions match without regard to case": (allow("S3:getOBJECT", arn("logs/*")), {("logs", ""): {GET}}, None),
    "better: wildcards anywhere in an action": (
        allow("s?:Get*Acl", arn("logs/*")),
        {("logs", ""): {"s3:GetObjectAcl", "s3:GetObjectVersionAcl"}},
        None,
    ),
    "better: bucket wildcards expand to the buckets that match": (
        allow(LIST, arn("data-*")),
        {("data-one", ""): {LIST}, ("data-two", ""): {LIST}},
        None,
    ),
    "better: a bucket wildcard covers the objects too": (
        allow(GET, arn("data-*")),
        {("data-one", ""): {GET}, ("data-two", ""): {GET}},
        None,
    ),
    "better: NotAction expands to the known actions less those named": (
        {"Effect": "Allow", "NotAction": ["s3:Get*", "s3:List*"], "Resource": arn("logs/*")},
        {("logs", ""): {p for p in ON_OBJECTS if not p.startswith(("s3:Get", "s3:List"))}},
        None,
    ),
    "better: some objects of a bucket that is given whole lack nothing": (
        allow(GET, [arn("logs/*.csv"), arn("logs/*"), arn("logs/a/x"), arn("logs/b*")]),
        {("logs", ""): {GET}},
        None,
    ),
    "better: nor do they beside a folder, or another statement": (
        [allow(GET, arn("logs/a/b/*.csv")), allow(GET, arn("logs/a/*"))],
        {("logs", "a"): {GET}},
        None,
    ),
    "better: nor does what a condition gives of what is given anyway": (
        [
            allow(GET, arn("logs/a/*"), Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
            allow([GET, LIST], arn("logs*")),
        ],
        {("logs", ""): {GET, LIST}},
        None,
    ),
    "some objects beside another permission on the bucket are not shown by that": (
        [allow([GET, PUT], arn("logs/*.csv")), allow(GET, arn("logs/*"))],
        {("logs", ""): {GET}},
        "some objects",
    ),
    "a folder is not shown by a file of the same beginning": (
        [allow(GET, arn("logs/ab*")), allow(GET, arn("logs/a/*"))],
        {("logs", "a"): {GET}},
        "some objects",
    ),
    "better: single texts and single statements": (allow(GET, arn("logs/*")), {("logs", ""): {GET}}, None),
    "better: lists of statements": (
        [allow([GET], [arn("logs/*")]), allow([PUT], [arn("logs/*")])],
        {("logs", ""): {GET, PUT}},
        None,
    ),
    "better: an unconditional Deny takes the permissions away": (
        [allow([GET, PUT], arn("logs/*")), deny(PUT, arn("logs/*"))],
        {("logs", ""): {GET}},
        None,
    ),
    "new: a Deny of a part leaves the bucket, and names the part": (
        [allow(GET, arn("logs/*")), deny(GET, arn("logs/secret/*"))],
        {("logs", ""): {GET}},
        "statement 2: Deny on arn:aws:s3:::logs/secret/*: that part of what is shown is refused",
    ),
    "new: a Deny of a whole folder takes the folder away": (
        [allow(GET, [arn("logs/a/*"), arn("logs/b/*")]), deny(GET, arn("logs/a*"))],
        {("logs", "b"): {GET}},
        None,
    ),
    "new: a Deny of a part of what is denied anyway is not told": (
        [allow(GET, arn("logs/*")), deny(GET, arn("logs/secret/*")), deny(GET, arn("l*"))],
        {},
        None,
    ),
    "new: a Deny of a folder of any bucket leaves the account": (
        [allow(GET, "*"), deny(GET, arn("*/secret/*"))],
        {("", ""): {GET}},
        "Deny on arn:aws:s3:::*/secret/*: that part",
    ),
    "new: a Deny by an ARN that lacks fields": (
        [allow([GET, "s3:GetAccessPointPolicy"], "*"), deny("s3:*", "arn:aws:s3:*")],
        {},
        None,
    ),
    "new: a Deny by an ARN that is all of AWS": ([allow(GET, arn("logs/*")), deny("*", "arn:*")], {}, None),
    "new: an Allow by an ARN that lacks fields is the account": (allow(GET, "arn:aws:s3:*"), {("", ""): {GET}}, None),
    "new: an Allow of buckets gives nothing that is checked on access points": (
        allow("s3:GetAccessPointPolicy", arn("*")),
        {},
        None,
    ),
    "new: an Allow of all of S3 gives what is checked on access points": (
        allow("s3:GetAccessPointPolicy", "arn:aws:s3:*"),
        {("", ""): {"s3:GetAccessPointPolicy"}},
        None,
    ),
    "new: a Deny that cannot be read may be about anything": (
        [allow(GET, arn("logs/*")), deny(GET, "logs")],
        {("logs", ""): {GET}},
        "Deny on logs, which cannot be read: some of what is shown may be refused",
    ),
    "new: a Deny of another service or partition is about nothing here": (
        [allow(GET, arn("logs/*")), deny("*", ["arn:aws:sqs:::logs", arn("logs/*", "aws-cn")])],
        {("logs", ""): {GET}},
        None,
    ),
    "new: a Deny with NotAction takes all else away": (
        [allow([GET, PUT], arn("logs/*")), {"Effect": "Deny", "NotAction": [GET, "iam:*"], "Resource": "*"}],
        {("logs", ""): {GET}},
        None,
    ),
    "new: a Deny of one access point says nothing of buckets": (
        [allow(GET, arn("logs/*")), deny("*", "arn:aws:s3:us-east-1:111122223333:accesspoint/p/object/*")],
        {("logs", ""): {GET}},
        None,
    ),
    "new: a Deny of the bucket says nothing of its objects": (
        [allow([GET, LIST], [arn("logs"), arn("logs/*")]), deny("s3:*", arn("logs"))],
        {("logs", ""): {GET}},
        None,
    ),
    "a Deny of another folder takes nothing away": (
        [allow(GET, arn("logs/open/*")), deny(GET, arn("logs/secret/*"))],
        {("logs", "open"): {GET}},
        None,
    ),
    "a Deny of one bucket leaves the others of the account": (
        [allow(GET, "*"), deny("s3:*", [arn("logs"), arn("logs/*"), arn("excluded*")])],
        {("data-one", ""): {GET}, ("data-two", ""): {GET}},
        None,
    ),
    "new: of a Deny of one bucket it is told which are given too and cannot be shown": (
        [allow(GET, "*"), deny("s3:*", [arn("logs"), arn("logs/*")])],
        {("data-one", ""): {GET}, ("data-two", ""): {GET}},
        "statement 2: Deny: bucket excluded is given too, and raito.yml leaves it out",
    ),
    "new: a Deny of a bucket that is not there leaves the account": (
        [allow(GET, "*"), deny("s3:*", [arn("elsewhere"), arn("elsewhere/*")])],
        {("", ""): {GET}},
        None,
    ),
    "a Deny with NotResource leaves only what it names": (
        [allow(GET, arn("*")), {"Effect": "Deny", "Action": "*", "NotResource": arn("logs/*")}],
        {("logs", ""): {GET}},
        None,
    ),
    "new: a Deny with NotResource leaves the folder that it names": (
        [
            allow([GET, LIST], arn("*")),
            {"Effect": "Deny", "Action": "*", "NotResource": [arn("logs"), arn("logs/a/*")]},
        ],
        {("logs", ""): {LIST}, ("logs", "a"): {GET}},
        None,
    ),
    "new: what a Deny with NotResource leaves may have no name": (
        [allow(GET, arn("logs/*")), {"Effect": "Deny", "Action": "*", "NotResource": [arn("logs/*.csv")]}],
        {},
        "Deny with NotResource: not all that it leaves of logs is claimed",
    ),
    "a Deny with a variable may touch anything that fits": (
        [allow(GET, arn("logs/home/*")), deny(GET, arn("logs/${aws:username}/*"))],
        {("logs", "home"): {GET}},
        "statement 2: Deny on arn:aws:s3:::logs/${aws:username}/*: that part",
    ),
    "new: a Deny with a variable for the bucket may touch any bucket": (
        [allow(GET, arn("logs/*")), deny(GET, arn("lo${aws:PrincipalTag/team}/*"))],
        {("logs", ""): {GET}},
        "Deny on arn:aws:s3:::lo${aws:PrincipalTag/team}/*: that part",
    ),
    "a Deny under a condition takes nothing away, and is told": (
        [allow(GET, arn("logs/*")), deny("*", "*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})],
        {("logs", ""): {GET}},
        "Deny under a condition (Bool aws:MultiFactorAuthPresent)",
    ),
    "new: a Deny of calls that are not made over TLS takes nothing away": (
        [allow(GET, arn("logs/*")), deny("*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}})],
        {("logs", ""): {GET}},
        "Deny of calls with Bool aws:SecureTransport false: calls have to be made otherwise",
    ),
    "new: access over TLS alone is access": (
        allow(GET, arn("logs/*"), Condition={"Bool": {"aws:SecureTransport": "true"}}),
        {("logs", ""): {GET}},
        "Condition (Bool aws:SecureTransport true): it gives access to calls that are made so, as they usually are",
    ),
    "new: access without TLS alone is not claimed": (
        allow(GET, arn("logs/*"), Condition={"Bool": {"aws:SecureTransport": "false"}}),
        {},
        "Condition (Bool aws:SecureTransport false): it gives access only to calls that are made so, as they seldom",
    ),
    "a condition": (
        allow(GET, arn("logs/*"), Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}),
        {},
        "Condition (StringEquals aws:SourceVpc)",
    ),
    "an empty condition restricts nothing": (allow(GET, arn("logs/*"), Condition={}), {("logs", ""): {GET}}, None),
    "new: NotResource is the buckets that it does not touch": (
        {"Effect": "Allow", "Action": [GET, LIST], "NotResource": [arn("logs/*"), arn("excluded*")]},
        {("data-one", ""): {GET, LIST}, ("data-two", ""): {GET, LIST}, ("logs", ""): {LIST}},
        None,
    ),
    "new: NotResource of a part leaves what has no name": (
        {"Effect": "Allow", "Action": GET, "NotResource": [arn("logs/a/*"), arn("excluded*")]},
        {("data-one", ""): {GET}, ("data-two", ""): {GET}},
        "NotResource: what it leaves of bucket logs has no name",
    ),
    "new: NotResource of what is not here is the account": (
        {"Effect": "Allow", "Action": [GET, "s3:CreateJob"], "NotResource": ["arn:aws:sqs:*:*:*", arn("elsewhere/*")]},
        {("", ""): {GET, "s3:CreateJob"}},
        None,
    ),
    "new: NotResource of everything is nothing": ({"Effect": "Allow", "Action": "*", "NotResource": "*"}, {}, None),
    "new: NotResource that cannot be read gives nothing for sure": (
        {"Effect": "Allow", "Action": GET, "NotResource": "logs"},
        {},
        "NotResource: resource logs is no ARN",
    ),
    "another service": (allow("ec2:Describe*", "*"), {}, "service whose access is not shown"),
    "an action that nobody knows": (allow("s3:Fly", arn("logs/*")), {}, "action s3:Fly is not known"),
    "an action that Raito Cloud does not have": (
        allow("s3:CreateAccessGrant", "*"),
        {},
        "none of the permissions that Raito Cloud knows",
    ),
    "another account's bucket": (allow(GET, arn("elsewhere/*")), {}, "matches no bucket of the account"),
    "a bucket that raito.yml leaves out": (allow(GET, arn("excluded/*")), {}, "raito.yml leaves out"),
    "some objects by suffix": (allow(GET, arn("logs/*.csv")), {}, "not a whole folder"),
    "one object": (allow(GET, arn("logs/a.csv")), {}, "not a whole folder"),
    "a beginning of a name is no folder": (allow(GET, arn("logs/a*")), {}, "not a whole folder"),
    "a policy variable": (allow(GET, arn("logs/${aws:username}/*")), {}, "not a whole folder"),
    "a variable in a name": (allow(GET, arn("lo${aws:PrincipalTag/team}/a/*")), {}, "not a whole folder"),
    "an escaped star is a star": (allow(GET, arn("logs/${*}/*")), {("logs", "*"): {GET}}, None),
    "new: an access point is not its bucket": (
        allow(GET, "arn:aws:s3:us-east-1:111122223333:accesspoint/p/object/*"),
        {},
        "is an access point: it gives access through that alone",
    ),
    "new: a multi-region access point is none of a bucket": (
        allow(GET, "arn:aws:s3::111122223333:accesspoint/mfzwi23gnjvgw.mrap/object/*"),
        {},
        "is a multi-region access point over buckets that are not read",
    ),
    "a job": (allow(GET, "arn:aws:s3:us-east-1:111122223333:job/1"), {}, "no bucket and no object"),
    "a resource that is no ARN": (allow(GET, "logs"), {}, "resource logs is no ARN"),
    "new: one line for all that is alike": (
        allow([GET, "s3:Fly", "s3:Swim", "s3:PutBucketAbac"], [arn("logs/*"), arn("one/*"), arn("two/*")]),
        {("logs", ""): {GET}},
        "p, statement 1: actions s3:Fly, s3:Swim are not known; action s3:PutBucketAbac is none of the permissions "
        "that Raito Cloud knows; resources arn:aws:s3:::one/*, arn:aws:s3:::two/* match no bucket of the account",
    ),
    "a folder below the depth": (allow(GET, arn("logs/" + "d/" * 21 + "*")), {}, "no data object"),
}


@pytest.mark.parametrize("name", CASES)
def test_statements(name: str) -> None:
    statements, rows, reason = CASES[name]
    found, reasons = read(statements)
    assert found == rows
    if reason is None:
        assert reasons == ()
    else:
        assert len(reasons) == 1
        assert reason in reasons[0]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_better_other_partitions(partition: str) -> None:
    rows, reasons = read(allow(GET, arn("logs/*", partition)), scope(partition))
    assert (rows, reasons) == ({("logs", ""): {GET}}, ())


def test_a_resource_of_another_partition_gives_nothing() -> None:
    rows, reasons = read(allow(GET, arn("logs/*", "aws-cn")))
    assert rows == {}
    assert "partition aws-cn" in reasons[0]


def test_without_folders_a_folder_is_not_represented() -> None:
    rows, reasons = read(allow(GET, arn("logs/a/*")), scope(depth=0))
    assert rows == {}
    assert "no data object" in reasons[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"Statement": 3}',
        '{"Version": "2020-01-01", "Statement": []}',
        '{"Version": "2012-10-17"}',
        '{"Statement": [7]}',
        '{"Statement": {"Effect": "Permit", "Action": "s3:*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "s3:*", "NotAction": "s3:*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": {"a": 1}, "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": "x"}}',
        '{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Extra": 1}}',
        "[" * 100_000,
    ],
)
def test_better_a_document_that_is_not_valid_is_a_problem_and_gives_nothing(text: str) -> None:
    document = read_document(text)
    assert len(document.problems) == 1
    found = what_of([("p", document)], scope())
    assert found.claims == {}
    assert told(found) == (f"p: {document.problems[0]}",)


def test_a_broken_statement_does_not_hide_the_others() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "?"}, allow(GET, arn("logs/*"))]})
    found = what_of([("p", read_document(text))], scope())
    assert {(claim.target.bucket, claim.permission) for claim in found.claims} == {("logs", GET)}
    assert "statement 1" in told(found)[0]


def test_variables_are_plain_text_in_the_older_language() -> None:
    text = json.dumps({"Version": "2008-10-17", "Statement": allow(GET, arn("logs/${aws:username}/*"))})
    found = what_of([("p", read_document(text))], scope())
    assert {claim.target.path for claim in found.claims} == {"${aws:username}"}
    assert told(found) == ()


def test_a_deny_elsewhere_of_the_same_principal_counts_and_its_allow_does_not() -> None:
    own = read_document(json.dumps({"Statement": allow([GET, PUT], arn("logs/*"))}))
    other = read_document(json.dumps({"Statement": [deny(PUT, "*"), allow(GET, "*")]}))
    found = what_of([("own", own)], scope(), denies=[("other", other)])
    assert {(c.target.bucket, c.permission) for c in found.claims} == {("logs", GET)}
    assert told(found) == ()


def test_bucket_and_object_actions_of_the_table() -> None:
    rows, reasons = read(allow("s3:*", [arn("logs"), arn("logs/*")]))
    assert rows == {("logs", ""): ON_BUCKETS | ON_OBJECTS}
    assert reasons == ()


def test_a_variable_for_the_bucket_gives_access_to_no_bucket_for_sure() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": allow(GET, arn("${aws:PrincipalTag/team}/*"))})
    found = what_of([("p", read_document(text))], scope())

    assert found.claims == {}
    assert all("not a whole folder" in reason for reason in told(found))
    assert told(found)
