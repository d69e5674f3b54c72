"""Partition keys: what they are made of, and that every question about them gives the same answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raito_pipeline.aws.data_objects.names import DataObjectName
from raito_pipeline.config import Options, load
from raito_pipeline.orchestration.partitioning import partitions

Loads = Callable[..., Options]


def account(name: str, account_id: str, regions: str, link: tuple[str, str, str] | None = None) -> str:
    """An account target; `link` is the organization's (profile, region, identity store)."""
    lines = [
        f'  - name: "{name}"',
        "    connector-name: raito-io/cli-plugin-aws-account",
        f"    aws-account-id: {account_id}",
        f"    aws-regions: {regions}",
        f'    data-source-id: "ds {name}"',
        f'    identity-store-id: "is {name}"',
    ]
    if link is not None:
        profile, region, store = link
        lines += [
            f"    aws-organization-profile: {profile}",
            f"    aws-organization-region: {region}",
            f"    aws-organization-identity-center-instance-arn: arn:aws:sso:::instance/ssoins-{store}",
            f"    aws-organization-identity-store: {store}",
        ]
    return "\n".join(lines) + "\n"


def organization(name: str, account_id: str, profile: str, region: str) -> str:
    return (
        f"  - name: {name}\n    connector-name: raito-io/cli-plugin-aws-organization\n"
        f"    aws-account-id: {account_id}\n    aws-profile: {profile}\n    aws-region: {region}\n"
        f"    identity-store-id: raito-{name}\n"
    )


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    def loads(*targets: str, only: list[str] | None = None) -> Options:
        path = tmp_path / "raito.yml"
        path.write_text("domain: acme\nskip-authentication: true\ntargets:\n" + "".join(targets))
        return load(path, {"HOME": str(tmp_path)}, only)

    return loads


ONE, TWO, MASTER = "111111111111", "222222222222", "999999999999"


def test_a_part_of_a_bucket_is_in_its_region_or_in_any_catalog(loads: Loads) -> None:
    buckets, catalogs = account("s3", ONE, "eu-west-1,us-east-1"), account("glue", TWO, "eu-west-1,us-east-1")
    options = loads(buckets, f"{catalogs}    aws-glue-enabled: true\n")

    def regions(target: str, owner: str, region: str) -> tuple[str, ...]:
        return partitions.regions_of_part(options.account(target), DataObjectName(owner, region, "bucket", "a"))

    assert [regions(ONE, ONE, region) for region in ("eu-west-1", "us-east-1", "eu-north-1")] == [
        ("eu-west-1",),
        ("us-east-1",),
        (),
    ]
    assert [regions(TWO, TWO, each) for each in ("eu-west-1", "eu-north-1")] == [("eu-west-1", "us-east-1")] * 2
    assert (regions(ONE, TWO, "eu-west-1"), regions(TWO, ONE, "eu-west-1")) == ((), ())


def test_accounts_and_regions(loads: Loads) -> None:
    options = loads(account("one", ONE, "us-east-1,eu-west-1"), account("two", TWO, "eu-central-1,eu-west-1"))
    assert partitions.accounts(options) == (ONE, TWO)
    assert partitions.regions(options) == ("eu-central-1", "eu-west-1", "us-east-1")


@pytest.mark.parametrize(
    ("key", "region", "expected"),
    [
        (ONE, "us-east-1", True),
        (ONE, "eu-west-1", True),
        (ONE, "eu-central-1", False),
        (TWO, "eu-central-1", True),
        (TWO, "us-east-1", False),
        ("333333333333", "us-east-1", False),
    ],
)
def test_what_is_in_scope(loads: Loads, key: str, region: str, expected: bool) -> None:
    options = loads(account("one", ONE, "us-east-1,eu-west-1"), account("two", TWO, "eu-central-1,eu-west-1"))
    assert partitions.in_scope(options, key, region) is expected


def test_targets_that_share_an_account_are_partitions_of_their_own(loads: Loads) -> None:
    options = loads(account("s3", ONE, "us-east-1"), account("glue", ONE, "eu-west-1"))
    assert partitions.accounts(options) == (ONE, f"{ONE}-glue")
    assert partitions.in_scope(options, ONE, "us-east-1")
    assert not partitions.in_scope(options, ONE, "eu-west-1")
    assert partitions.in_scope(options, f"{ONE}-glue", "eu-west-1")


@pytest.mark.parametrize("only", [None, ["one"], ["two"], ["org"]])
def test_an_organization_is_read_of_all_accounts_of_the_file_whatever_is_selected(
    loads: Loads, only: list[str] | None
) -> None:
    """The next sync of an account that was left out takes its permission sets and control policies from there."""
    link = ("master", "eu-west-1", "d-1111111111")
    options = loads(
        organization("org", MASTER, "master", "eu-west-1"),
        account("one", ONE, "us-east-1", link),
        account("two", TWO, "eu-west-1", link),
        account("three", "333333333333", "eu-west-1"),
        account("four", "444444444444", "eu-west-1", ("elsewhere", "us-east-1", "d-2222222222")),
        only=only,
    )

    members = partitions.members_of_organization(options, f"{MASTER}_eu-west-1")

    assert members == {ONE, TWO}
    [read] = [each for each in partitions.organizations(options) if each.key == f"{MASTER}_eu-west-1"]
    assert read.identity_store_id == "d-1111111111"


def test_an_account_that_is_left_out_and_whose_link_is_broken_is_of_no_organization(loads: Loads) -> None:
    broken = account("two", TWO, "eu-west-1", ("master", "eu-west-1", "'<store>'")).replace("instance-arn", "instance")
    options = loads(account("one", ONE, "us-east-1", ("master", "eu-west-1", "d-1111111111")), broken, only=["one"])

    assert partitions.members_of_organization(options, "d-1111111111_eu-west-1") == {ONE}


@pytest.mark.parametrize("others", [1, 2, 3])
def test_targets_that_are_added_below_change_no_key(loads: Loads, others: int) -> None:
    targets = [account(f"target{number}", (ONE, TWO)[number % 2], "us-east-1") for number in range(others + 2)]
    before, after = (partitions.accounts(loads(*targets[:count])) for count in (2, others + 2))
    assert after[:2] == before == (ONE, TWO)
    assert len(set(after)) == len(after)


def test_only_organizations_mean_no_accounts(loads: Loads) -> None:
    options = loads(organization("org", MASTER, "master", "eu-west-1"))
    assert (partitions.accounts(options), partitions.regions(options)) == ((), ())
    (found,) = partitions.organizations(options)
    assert (found.key, found.target) == (f"{MASTER}_eu-west-1", "org")
    assert (found.instance_arn, found.identity_store_id) == (None, None)


ORG = organization("org", MASTER, "master", "eu-west-1")
LINKS = [
    pytest.param((ORG,), ("master", "eu-west-1", "d-1"), f"{MASTER}_eu-west-1", id="profile and region"),
    pytest.param((ORG,), ("other", "eu-west-1", "d-1"), f"{MASTER}_eu-west-1", id="only one of the region"),
    pytest.param((ORG,), ("master", "us-east-1", "d-1"), "d-1_us-east-1", id="another region"),
    pytest.param((), ("master", "us-east-1", "d-1"), "d-1_us-east-1", id="no target"),
    pytest.param(
        (ORG, organization("org2", "888888888888", "second", "eu-west-1")),
        ("second", "eu-west-1", "d-1"),
        "888888888888_eu-west-1",
        id="the profile tells two of a region apart",
    ),
    pytest.param(
        (ORG, organization("org2", "888888888888", "second", "eu-west-1")),
        ("third", "eu-west-1", "d-1"),
        "d-1_eu-west-1",
        id="two of a region and neither has the profile",
    ),
    pytest.param((ORG,), None, None, id="no link"),
]


@pytest.mark.parametrize(("targets", "link", "key"), LINKS)
def test_the_organization_of_an_account(
    loads: Loads, targets: tuple[str, ...], link: tuple[str, str, str] | None, key: str | None
) -> None:
    options = loads(*targets, account("one", ONE, "us-east-1", link))
    assert partitions.organization_of(options, ONE) == key
    assert partitions.organization_of(options, TWO) is None
    keys = [found.key for found in partitions.organizations(options)]
    assert len(keys) == len(set(keys))
    if key is not None:
        assert key in keys


def test_a_link_tells_what_its_target_does_not(loads: Loads) -> None:
    options = loads(ORG, account("one", ONE, "us-east-1", ("master", "eu-west-1", "d-1")))
    (found,) = partitions.organizations(options)
    assert found.instance_arn == "arn:aws:sso:::instance/ssoins-d-1"
    assert found.identity_store_id == "d-1"
    assert (found.profile, found.region) == ("master", "eu-west-1")


def test_an_organization_without_a_target_is_read_through_the_link(loads: Loads) -> None:
    link = ("master", "us-east-1", "d-1")
    options = loads(account("one", ONE, "us-east-1", link), account("two", TWO, "us-east-1", link))
    (found,) = partitions.organizations(options)
    assert (found.key, found.profile, found.region, found.target) == ("d-1_us-east-1", "master", "us-east-1", None)
    assert found.identity_store_id == "d-1"


def test_a_link_to_another_store_of_the_region_is_not_taken_for_the_target(loads: Loads) -> None:
    options = loads(
        ORG,
        account("one", ONE, "us-east-1", ("master", "eu-west-1", "d-1")),
        account("two", TWO, "us-east-1", ("elsewhere", "eu-west-1", "d-2")),
    )
    assert partitions.organization_of(options, ONE) == f"{MASTER}_eu-west-1"
    assert partitions.organization_of(options, TWO) == "d-2_eu-west-1"
    assert {found.key for found in partitions.organizations(options)} == {f"{MASTER}_eu-west-1", "d-2_eu-west-1"}


def test_keys_stay_the_same_when_only_some_targets_are_selected(loads: Loads) -> None:
    link = ("master", "eu-west-1", "d-1")
    targets = (ORG, account("again", ONE, "us-east-1"), account("one", ONE, "us-east-1", link))
    options = loads(*targets, only=["one"])
    assert partitions.accounts(options) == (f"{ONE}-one",)
    assert partitions.organization_of(options, f"{ONE}-one") == f"{MASTER}_eu-west-1"
    assert [found.key for found in partitions.organizations(options)] == [f"{MASTER}_eu-west-1"]


REGIONS = st.sampled_from(["us-east-1", "eu-west-1"])
LINK = st.tuples(st.sampled_from(["master", "second", "third"]), REGIONS, st.sampled_from(["d-1", "d-2"]))
NAMES = st.text(st.sampled_from("ab|,[]/ -_é"), min_size=1, max_size=5).filter(lambda name: name.strip() == name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    names=st.lists(NAMES, min_size=1, max_size=4, unique=True),
    data=st.data(),
    organizations=st.lists(st.tuples(st.sampled_from(["master", "second"]), REGIONS), max_size=3, unique=True),
)
def test_every_key_is_unique_plain_and_consistent(
    loads: Loads, names: list[str], data: st.DataObject, organizations: list[tuple[str, str]]
) -> None:
    accounts = [
        account(name, data.draw(st.sampled_from([ONE, TWO])), data.draw(REGIONS), data.draw(st.none() | LINK))
        for name in names
    ]
    orgs = [
        organization(f"org{n}", f"99999999999{n}", profile, region) for n, (profile, region) in enumerate(organizations)
    ]
    options = loads(*orgs, *accounts)
    keys = partitions.accounts(options)
    found = [each.key for each in partitions.organizations(options)]
    assert len(set(keys)) == len(names)
    assert len(set(found)) == len(found)
    assert not set("|,[]/ ") & set("".join([*keys, *found, *partitions.regions(options)]))
    owners = [partitions.organization_of(options, key) for key in keys]
    assert [owner is not None for owner in owners] == [target.organization is not None for target in options.accounts]
    assert {owner for owner in owners if owner is not None} <= set(found)
    for target in options.accounts:
        scope = [
            region for region in partitions.regions(options) if partitions.in_scope(options, target.partition, region)
        ]
        assert scope == sorted(target.regions)
