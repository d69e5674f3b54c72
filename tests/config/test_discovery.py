"""The options of discovery, and the role that they give."""

import pytest

from raito_pipeline.config.discovery import AssumedRole, Discovery, closed_since, template_of
from raito_pipeline.config.document import Items, Scalar, Section


def test_the_role_is_in_the_partition_of_the_region_and_knows_the_account() -> None:
    discovery = Discovery(role="teams/raito-#account#", external_id="x-#account#", session_name="nightly")
    assert discovery.role_in("111122223333", "cn-north-1") == AssumedRole(
        "arn:aws-cn:iam::111122223333:role/teams/raito-111122223333", "nightly", "x-111122223333"
    )


@pytest.mark.parametrize(
    ("filters", "units", "tags"),
    [({}, False, False), ({"units": ("a",)}, True, False), ({"exclude_tags": ("a:b",)}, False, True)],
)
def test_what_matters_follows_from_the_filters(filters: dict[str, object], units: bool, tags: bool) -> None:
    discovery = Discovery(role="x", **filters)  # type: ignore[arg-type]
    assert (discovery.asks_units, discovery.asks_tags) == (units, tags)


def test_the_account_stands_in_texts_and_lists_of_the_shared_options() -> None:
    section = Section({"a": Scalar("b-#account#", 1), "c": Items((Scalar("#account#", 2),), 2)}, 1)
    filled = template_of(section, "111122223333")
    assert filled.entries == {"a": Scalar("b-111122223333", 1), "c": Items((Scalar("111122223333", 2),), 2)}


def test_a_day_says_that_an_account_is_closed() -> None:
    assert closed_since({"closed": Scalar("2026-11-26", 1)}) == "2026-11-26"
    assert closed_since({"closed": Scalar("no", 1)}) is None
    assert closed_since({}) is None
