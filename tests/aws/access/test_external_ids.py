"""External ids and the names in them."""

import pytest

from raito_pipeline.aws.access.external_ids import is_reserved, permission_set_name
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES


@pytest.mark.parametrize(
    ("name", "permission_set"),
    [
        ("AWSReservedSSO_Analysts_0123456789abcdef", "Analysts"),
        ("AWSReservedSSO_Data_readers_of_EU_0123456789ABCDEF", "Data_readers_of_EU"),
        ("Analysts", "Analysts"),
        ("AWSReservedSSO_Analysts_0123", "AWSReservedSSO_Analysts_0123"),  # no id of 16 digits
        ("AWSReservedSSO_0123456789abcdef", "AWSReservedSSO_0123456789abcdef"),
    ],
)
def test_a_permission_set_is_named_by_itself_or_by_its_reserved_role(name: str, permission_set: str) -> None:
    assert permission_set_name(name) == permission_set


def test_a_role_that_iam_does_not_change_is_known_by_its_name() -> None:
    assert is_reserved("AWSReservedSSO_Analysts_0123456789abcdef")
    assert not is_reserved("aws-reserved")
    assert not is_reserved("Analysts")


def test_no_prefix_begins_another_one() -> None:
    prefixes = [each.external_id_prefix for each in ACCESS_PROVIDER_TYPES]
    assert len(set(prefixes)) == len(prefixes)
    assert not [(a, b) for a in prefixes for b in prefixes if a != b and a.startswith(b)]
