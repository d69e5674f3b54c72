"""A description of an access provider type says everything that Raito Cloud asks of one."""

from dataclasses import fields, replace

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.model.provider_types import TypeDescription

GIVEN = {each.name: getattr(ACCESS_PROVIDER_TYPES.descriptions[0], each.name) for each in fields(TypeDescription)}


@pytest.mark.parametrize("left_out", GIVEN)
def test_a_type_that_leaves_something_open_does_not_load(left_out: str) -> None:
    with pytest.raises(TypeError, match=left_out):
        TypeDescription(**{name: value for name, value in GIVEN.items() if name != left_out})  # type: ignore[arg-type]


def test_ids_of_types_are_those_of_the_real_connector_and_each_is_there_once() -> None:
    ids = [each.type for each in ACCESS_PROVIDER_TYPES.descriptions]
    assert {"aws_role", "aws_policy", "aws_sso_role", "aws_access_point"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_who_can_be_assumed_into_is_a_role_of_some_kind() -> None:
    assumed = {each.type for each in ACCESS_PROVIDER_TYPES.descriptions if each.can_be_assumed}
    assert assumed == {"aws_role", "aws_sso_role"}
    only = {each.type for each in ACCESS_PROVIDER_TYPES.descriptions if each.organization_only}
    assert only == {"aws_sso_role"}
    assert replace(ACCESS_PROVIDER_TYPES.descriptions[0]) == ACCESS_PROVIDER_TYPES.descriptions[0]
