"""Region names: those of botocore are all taken, mistyped ones are refused with the right one, new ones may exist."""

from __future__ import annotations

import string

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.config import Problem
from raito_pipeline.config.regions import NoRegion, aws_partition, check, doubt, known_regions

from .conftest import Fails, Loads, account, organization, raito_yml

KNOWN = sorted(known_regions())
COULD_EXIST = ["ap-north-1", "ca-south-1", "us-gov-north-1", "us-iso-north-1", "eusc-de-north-1", "cn-southwest-1"]


def test_all_regions_of_all_partitions_are_known() -> None:
    session = botocore.session.Session()
    partitions = session.get_available_partitions()
    assert len(partitions) > 5
    for partition in partitions:
        regions = set(session.get_available_regions("sts", partition)) - {"aws-global"}
        assert regions - known_regions() == set()
        assert {aws_partition(region) for region in regions} <= {partition}
    assert {"eu-south-2", "ap-southeast-4", "cn-northwest-1", "us-gov-west-1", "eusc-de-east-1"} <= known_regions()


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-gov-north-1", "aws-us-gov"),
        ("<region>", "aws"),
    ],
)
def test_partitions_of_regions(region: str, partition: str) -> None:
    assert aws_partition(region) == partition


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("eu-wset-1", "eu-west-1"),
        ("eu-west1", "eu-west-1"),
        ("eu-west-1a", "eu-west-1"),
        ("EU-WEST-1", "eu-west-1"),
        ("eu-west-9", "eu-west-"),
        ("eu-cetnrla-1", "eu-central-1"),
        ("eu_central_1", "eu-central-1"),
        ("us-est-11", "us-east-1"),
        ("eu-central", "eu-central-1"),
    ],
)
def test_what_a_mistyped_region_stands_for(written: str, meant: str) -> None:
    with pytest.raises(NoRegion) as caught:
        check(written)
    assert f"perhaps `{meant}" in str(caught.value.expected)


@pytest.mark.parametrize("written", ["Frankfurt", "aws-global", "europe-west-1", "eu--1", "-", "ap-somewhere-1"])
def test_what_is_no_region_at_all(written: str) -> None:
    with pytest.raises(NoRegion):
        check(written)


@pytest.mark.parametrize("region", COULD_EXIST)
def test_a_region_that_botocore_does_not_know_yet(region: str) -> None:
    check(region)
    assert doubt(region) is not None


@given(st.sampled_from(KNOWN), st.integers(0, 12), st.sampled_from(string.ascii_lowercase + string.digits + "-_ "))
def test_no_slip_of_typing_goes_through(region: str, place: int, letter: str) -> None:
    check(region)
    for written in (region[:place] + letter + region[place:], region[:place] + letter + region[place + 1 :]):
        if written not in known_regions():
            with pytest.raises(NoRegion):
                check(written)


def places(region: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Files that name `region`, one for each place that can, and the environment with each."""
    link = (
        f"aws-organization-profile: master\naws-organization-region: {region}\n"
        "aws-organization-identity-center-instance-arn: arn:aws:sso:::instance/ssoins-1\n"
        "aws-organization-identity-store: d-1\n"
    )
    return {
        "aws-regions": (raito_yml(account(regions=f"eu-central-1,{region}")), {}),
        "aws-region": (raito_yml(organization(region=region)), {}),
        "aws-organization-region": (raito_yml(account(link)), {}),
        "the region of the profile": (raito_yml(account(regions="")), {"AWS_REGION": region}),
        "a variable": (raito_yml(account(regions="'{{REGIONS}}'")), {"REGIONS": region}),
    }


def said(problems: tuple[Problem, ...]) -> Problem:
    (problem,) = problems
    return problem


@pytest.mark.parametrize("place", places(""))
def test_a_mistyped_region_anywhere_is_an_error_with_the_right_one(fails: Fails, place: str) -> None:
    text, environ = places("eu-wset-1")[place]
    problem = said(fails(text, environ))
    assert "eu-wset-1" in problem.found
    assert "`eu-west-1`" in str(problem.expected)
    assert problem.target in ("one", "org")


@pytest.mark.parametrize("place", places(""))
def test_a_new_region_anywhere_is_a_warning(loads: Loads, place: str) -> None:
    text, environ = places("ap-north-1")[place]
    warning = said(loads(text, environ).warnings)
    assert "ap-north-1" in warning.found
    assert "botocore does not know" in warning.found
