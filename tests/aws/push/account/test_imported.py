"""What an import says of an account, as a push asks it."""

from dataclasses import replace

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.policy import Claim
from raito_pipeline.aws.policy.resources import ACCOUNT, PermissionTarget
from raito_pipeline.aws.push.account.imported import ImportView, covers
from raito_pipeline.model import DataObjectReference, WhatItem
from tests.aws.push.pushing import ACCOUNT as ACCOUNT_ID
from tests.aws.push.pushing import BUCKETS, VIEW, Options, folder


def test_data_objects_are_places_and_back() -> None:
    what = (
        folder("", "s3:GetObject"),
        folder("a/b", "s3:GetObject"),
        WhatItem(DataObjectReference(ACCOUNT_ID, "datasource"), ("s3:GetObject",)),
    )
    claims = VIEW.claims(what)
    assert {claim.target for claim in claims} == {ACCOUNT, PermissionTarget("data"), PermissionTarget("data", "a/b")}
    assert set(VIEW.items(claims)) == set(what)


def test_what_is_of_another_account_is_no_place() -> None:
    assert VIEW.target(DataObjectReference("999999999999:eu-west-1:data", "")) is None


def test_a_claim_covers_what_lies_below_it() -> None:
    def claim(bucket: str, path: str = "", permission: str = "s3:GetObject") -> Claim:
        return Claim(PermissionTarget(bucket, path), permission)

    assert covers(Claim(ACCOUNT, "s3:GetObject"), claim("data", "a"))
    assert covers(claim("data"), claim("data", "a"))
    assert covers(claim("data", "a"), claim("data", "a/b"))
    assert not covers(claim("data", "a"), claim("data", "ab"))
    assert not covers(claim("data", "a"), claim("data"))
    assert not covers(claim("data"), claim("other", "a"))
    assert not covers(claim("data"), claim("data", "a", "s3:PutObject"))


def test_what_it_does_not_show_is_not_known() -> None:
    assert VIEW.principals("policy:p") is None
    assert VIEW.what("policy:p") is None


def test_what_is_given_on_no_bucket_of_the_account_is_left_out_and_one_that_is_not_synced_is_named() -> None:
    account = Account(replace(VIEW.account.inputs, buckets=(replace(BUCKETS[0], included=False),)), Options())
    places = (PermissionTarget("gone"), PermissionTarget("data", "a"), PermissionTarget("data", "b", file=True))

    items = ImportView(account, {}).items(frozenset(Claim(place, "s3:GetObject") for place in places))

    assert [(item.data_object.full_name, item.data_object.type) for item in items] == [
        (f"{ACCOUNT_ID}:eu-west-1:data/a", "folder"),
        (f"{ACCOUNT_ID}:eu-west-1:data/b", "file"),
    ]
