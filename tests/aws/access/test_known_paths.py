"""Single keys and beginnings of keys that policies name, by the data objects that are known."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from raito_pipeline.aws.access.account import Account, wanted_paths
from raito_pipeline.aws.access.known_paths import file_names, file_patterns, known_paths
from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.claims import Claim, KnownPaths, WantedPaths
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.aws.policy.resources import PermissionTarget, read_pattern
from raito_pipeline.aws.policy.what import allowed
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider

from .conftest import ACCOUNT, Told, allow, deny, document, user_arn
from .test_effective import rows_of

GET = "s3:GetObject"
DATA = f"{ACCOUNT}:eu-west-1:data"
DATA_ARN = "arn:aws:s3:::data"
POINT = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/point"


def given(told: Told, *resources: str, **more: Any) -> tuple[dict[str, str], AccessProvider]:
    """Full names and types of what an inline policy of a user is shown to give."""
    told.user("ann").inline("user:ann", "p", document(allow(GET, list(resources), **more)))
    (row,) = told.build().values()
    return {item.data_object.full_name: item.data_object.type for item in row.what}, row


@pytest.mark.parametrize("path", ["a/k.csv", "k.csv", "a//k", "a b/ü?.csv"])
def test_a_key_that_is_a_data_object_is_that_file(path: str) -> None:
    escaped = path.replace("?", "${?}")
    shown, row = given(Told().data_object(path), f"{DATA_ARN}/{escaped}")

    assert shown == {f"{DATA}/{path}": "file"}
    assert not row.incomplete


@pytest.mark.parametrize(
    ("told", "resource"),
    [
        (Told(), "a/k.csv"),
        (Told().data_object("a/k.csv", bucket="us-east-1:other"), "a/k.csv"),
        (Told().data_object("a/k.csv", "folder"), "a/k.csv"),
        (Told().data_object("a/k.csv", "glue-table"), "a/k.csv"),
        (Told().data_object("A/k.csv"), "a/k.csv"),
        (Told().data_object("a/k.csv"), "a/?.csv"),
        (Told().data_object("a/k.csv"), "a/*.csv"),
    ],
    ids=["none", "another bucket", "a folder", "a table", "another case", "any letter", "any name"],
)
def test_what_is_no_single_file_is_a_reason(told: Told, resource: str) -> None:
    shown, row = given(told, f"{DATA_ARN}/{resource}")

    assert shown == {}
    assert len(row.reasons_narrower) == 1


def test_a_file_beside_a_folder_of_its_path_has_the_name_of_the_file() -> None:
    told = Told().data_object("a", "folder").data_object(":file/a").data_object("a/b")

    assert given(told, f"{DATA_ARN}/a")[0] == {f"{DATA}:file/a": "file"}


def test_a_folder_beside_a_file_of_its_path_is_the_folder() -> None:
    told = Told().data_object("a", "folder").data_object(":file/a").data_object("a/b")

    assert given(told, f"{DATA_ARN}/a/*")[0] == {f"{DATA}/a": ""}


def test_a_folder_in_which_nothing_lies_is_not_the_file_of_its_name() -> None:
    """Raito Cloud knows the file by the name that the folder would have."""
    shown, row = given(Told().data_object("a"), f"{DATA_ARN}/a/*")

    assert shown == {}
    assert row.reasons_narrower[0].endswith("is a folder in which nothing lies, and a file has its name")


def test_keys_that_begin_in_some_way_are_the_folders_and_tables_that_do() -> None:
    told = Told()
    for path in ("team1", "team1/x", "team10", "team2", "x/team1"):
        told.data_object(path, "folder")
    told.data_object("team1.csv").data_object("team1_t", "glue-table").data_object(":db.t/team1_u", "glue-table")
    told.data_object("team1", "folder", bucket="us-east-1:other")

    shown, row = given(told, f"{DATA_ARN}/team1*")

    assert shown == {f"{DATA}/{name}": "" for name in ("team1", "team10", "team1_t")}
    assert len(row.reasons_narrower) == 1
    assert row.reasons_narrower[0].endswith("the folders among it are shown, files and later folders are not")


def test_the_name_of_a_user_is_put_in_for_whoever_has_the_policy() -> None:
    told = Told().user("bob").data_object("ann.csv").data_object("bob.csv")

    assert given(told, f"{DATA_ARN}/${{aws:username}}.csv")[0] == {f"{DATA}/ann.csv": "file"}


def test_a_file_is_denied_by_its_key_alone() -> None:
    told = Told().data_object("a/k.csv").data_object("a/l.csv")
    told.user("ann").inline(
        "user:ann",
        "p",
        document(allow(GET, [f"{DATA_ARN}/a/k.csv", f"{DATA_ARN}/a/l.csv"]), deny(GET, f"{DATA_ARN}/a/k*")),
    )
    (row,) = told.build().values()

    assert [item.data_object.full_name for item in row.what] == [f"{DATA}/a/l.csv"]
    assert not row.incomplete


def test_files_are_given_by_bucket_policies_and_access_points() -> None:
    told = Told().user("ann").data_object("a/k.csv").delegates()
    told.point("point", allow(GET, f"{POINT}/object/a/k.csv", Principal={"AWS": user_arn("ann")}))
    told.bucket_policy("other", allow(GET, "arn:aws:s3:::other/k", Principal={"AWS": user_arn("ann")}))
    told.data_object("k", bucket="us-east-1:other")

    rows = told.build()
    point, bucket = rows[f"accesspoint:{POINT}"], rows["bucketpolicy:other"]

    assert [(item.data_object.full_name, item.data_object.type) for item in point.what] == [(f"{DATA}/a/k.csv", "file")]
    assert [item.data_object.full_name for item in bucket.what] == [f"{ACCOUNT}:us-east-1:other/k"]


def test_who_reaches_a_file_and_what_else_there_is_of_its_path() -> None:
    told = Told().data_object("a", "folder").data_object(":file/a").user("ann")
    told.inline("user:ann", "p", document(allow(GET, [f"{DATA_ARN}/a", f"{DATA_ARN}/a/*"])))

    assert [(row.data_object, row.data_object_kind, row.certainty) for row in rows_of(told.inputs())] == [
        (f"{DATA}/a", "folder", "certain"),
        (f"{DATA}:file/a", "file", "certain"),
    ]


def whole(*paths: str, kinds: dict[str, str] | None = None) -> Told:
    """An account in which all keys of the buckets are known, and no bucket is left out."""
    told = Told(listed=("data", "other"), left_out=False)
    for path in paths:
        told.data_object(path, (kinds or {}).get(path, "folder" if path.endswith("/") else "file"))
    told.data_objects = [(name.removesuffix("/"), kind) for name, kind in told.data_objects]
    return told


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        (f"{DATA_ARN}/*.csv", {"/a/k.csv": "file", "/b.csv": "file"}),
        (f"{DATA_ARN}/a/?.csv", {"/a/k.csv": "file"}),
        (f"{DATA_ARN}/logs*", {"/logs": "", "/logs-1": "file"}),
        ("arn:aws:s3:::*/logs/*", {"/a/logs": "", "/logs": ""}),
        ("arn:aws:s3:::*ogs*", {"/a/logs": "", "/logs": "", "/logs-1": "file"}),
        ("arn:aws:s3:::d*/logs/2026/*", {"/logs/2026": ""}),
        (f"{DATA_ARN}/none", {}),
        (f"{DATA_ARN}/*.none", {}),
    ],
)
def test_a_pattern_of_keys_is_what_lies_there_where_all_keys_are_known(resource: str, shown: dict[str, str]) -> None:
    paths = ("a/", "a/k.csv", "a/logs/", "a/logs/1", "b.csv", "logs/", "logs/2026/", "logs/2026/1", "logs-1")

    found, row = given(whole(*paths), resource)

    assert found == {f"{DATA}{path}": kind for path, kind in shown.items()}
    assert not row.incomplete
    assert row.notes == (
        f"inline policy p, statement 1: resource {resource} is some objects: all of them that there are now are shown",
    )


@pytest.mark.parametrize(
    ("told", "action", "why"),
    [
        (whole("a.csv"), ["s3:GetObject", "s3:PutObject"], "what writes makes new objects"),
        (whole("a.csv"), "s3:PutObjectTagging", "what sets tags does so of new objects, too"),
        (whole("a.csv"), "s3:GetObjectVersion", "objects that were deleted have versions"),
        (Told(left_out=False).data_object("a.csv"), GET, "not all keys are known"),
        (Told(left_out=False, listed=("other",)).data_object("a.csv"), GET, "not all keys of the one are known"),
        (whole("a.csv", "x.csv/", kinds={"x.csv/": "folder"}), GET, "the key of a folder alone has no name"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_pattern_of_keys_stays_a_reason(told: Told, action: Any, why: str) -> None:
    resource = f"{DATA_ARN}/*.csv" + ("/" if "folder" in why else "")
    told.user("ann").inline("user:ann", "p", document(allow(action, resource)))
    (row,) = told.build().values()

    assert row.what == ()
    assert len(row.reasons_narrower) == 1


def test_a_pattern_of_keys_in_any_bucket_may_be_about_one_that_is_left_out() -> None:
    told = whole("a.csv")
    told.left_out = True

    shown, row = given(told, "arn:aws:s3:::*.csv")

    assert shown == {}
    assert len(row.reasons_narrower) == 1
    assert not given(replace(told, users=[], attachments=[]), f"{DATA_ARN}/*.csv")[1].incomplete


def test_what_too_much_matches_stays_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raito_pipeline.aws.access.known_paths._MOST_MATCHES", 2)
    paths = ("x/", "x/1.csv", "x/2.csv", "x/3.csv", "y.csv")

    assert not given(whole(*paths), f"{DATA_ARN}/x*")[1].incomplete
    assert given(whole(*paths), f"{DATA_ARN}/*.csv")[1].reasons_narrower


def test_files_that_lie_too_deep_are_no_data_objects() -> None:
    pattern = read_pattern(f"{DATA_ARN}/*.csv", "aws", variables=True)
    listed = [(f"{DATA}/a", "folder"), (f"{DATA}/a/b", "folder"), (f"{DATA}/k.csv", "file")]

    def found(max_depth: int) -> KnownPaths:
        return known_paths(WantedPaths(patterns={pattern}), listed, listed=["data"], max_depth=max_depth)

    assert (found(3).listed, list(found(3).matching[pattern])) == ({"data"}, ["data"])
    assert (found(2).listed, found(2).matching[pattern]) == (set(), {})


def test_a_push_knows_what_was_shown_of_a_pattern_and_that_it_may_not_be_all() -> None:
    told = whole("a.csv")
    inputs = replace(told.inputs(), look_up=partial(known_paths, data_objects=told.data_objects, parts=True))
    statement = read_document(document(allow(GET, f"{DATA_ARN}/*.csv"))).statements[0]
    told.user("ann").inline("user:ann", "p", document(allow(GET, f"{DATA_ARN}/*.csv")))
    account = Account(replace(inputs, attachments=told.attachments), AccessOptions())

    claims, reasons = allowed(statement, account.scope)

    assert claims == {Claim(PermissionTarget("data", "a.csv", file=True), GET)}
    assert [reason.code for reason in reasons] == [Code.NARROWER]


@pytest.mark.parametrize("name", ["data/a/k.csv", "data:file/a/k.csv"])
def test_a_regular_expression_finds_the_full_names_of_files(name: str) -> None:
    told = Told()
    told.user("ann").inline("user:ann", "p", document(allow(GET, f"{DATA_ARN}/a/?.c*")))
    (expression,) = file_patterns(wanted_paths(Account(told.inputs(), AccessOptions())))
    names = pa.array([f"{ACCOUNT}:r:{name}", f"{ACCOUNT}:r:data/b/k.csv", f"{ACCOUNT}:r:x/data/a/k.csv"])

    assert pc.match_substring_regex(names, expression).to_pylist() == [True, False, False]


def test_many_patterns_are_few_regular_expressions() -> None:
    wanted = WantedPaths(patterns={read_pattern(f"{DATA_ARN}/a/{n}.c*", "aws", variables=True) for n in range(70)})
    names = pa.array([f"{ACCOUNT}:r:data/a/{n}.csv" for n in (0, 69, 70)])

    expressions = list(file_patterns(wanted))

    assert len(expressions) == 2
    found = [pc.match_substring_regex(names, each).to_pylist() for each in expressions]
    assert [any(each) for each in zip(*found, strict=True)] == [True, True, False]


def test_what_matches_too_much_is_looked_for_no_further() -> None:
    every, few = (read_pattern(f"{DATA_ARN}/{text}", "aws", variables=True) for text in ("*.csv", "?.txt"))
    wanted = WantedPaths(patterns={every, few})
    left: list[set[Any]] = []

    def listed() -> Iterator[tuple[str, str]]:
        for number in range(1_001):
            yield f"{DATA}/{number}.csv", "file"
        left.append(set(wanted.patterns))
        yield f"{DATA}/a.txt", "file"

    known = known_paths(wanted, listed(), listed=["data"])

    assert left == [{few}]
    assert {pattern: len(by_bucket["data"]) for pattern, by_bucket in known.matching.items()} == {few: 1}


def test_only_what_policies_name_is_looked_up() -> None:
    told = Told().user("ann").data_object("a/k")
    resources = ["*", "arn:aws:s3:::*", f"{DATA_ARN}/*", f"{DATA_ARN}/f/*", f"{DATA_ARN}/b*", "arn:aws:s3:::o*/k"]
    told.inline(
        "user:ann", "p", document(allow(GET, resources), allow("ec2:*", f"{DATA_ARN}/e"), deny(GET, f"{DATA_ARN}/d"))
    )

    wanted = wanted_paths(Account(told.inputs(), AccessOptions()))

    assert dict(wanted.keys) == {"data": {"f"}, "other": {"k", "/k"}}
    assert dict(wanted.beginnings) == {"data": {"b"}}
    assert sorted(file_names(wanted, ACCOUNT, "r")) == sorted(
        f"{ACCOUNT}:r:{name}"
        for name in ("data/f", "data:file/f", "other/k", "other:file/k", "other//k", "other:file//k")
    )


def test_what_is_not_asked_for_is_not_kept() -> None:
    wanted = WantedPaths({"data": {"k"}}, {})
    listed = [
        (f"{DATA}/k", "file"),
        (f"{DATA}/l", "file"),
        (f"{DATA}/k", "folder"),
        (DATA, "bucket"),
        ("x", "datasource"),
    ]

    assert known_paths(wanted, listed) == KnownPaths(frozenset({PermissionTarget("data", "k", file=True)}))
