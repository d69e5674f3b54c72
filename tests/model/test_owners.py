"""Owners as tags name them."""

import pytest

from raito_pipeline.model import Tag
from raito_pipeline.model.owners import with_owner_tag


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (None, None),
        ((), ()),
        ((Tag("a", "b"),), (Tag("a", "b"),)),
        ((Tag("owner", " jo , email:x@y ,"),), (Tag("owner", " jo , email:x@y ,"), Tag("raito_owner", "jo,email:x@y"))),
        ((Tag("owner", "jo"), Tag("raito_owner", "al,jo")), (Tag("owner", "jo"), Tag("raito_owner", "al,jo"))),
        ((Tag("owner", "jo"), Tag("raito_owner", "al")), (Tag("owner", "jo"), Tag("raito_owner", "al,jo"))),
        ((Tag("owner", ""),), (Tag("owner", ""),)),
        ((Tag("Owner", "jo"),), (Tag("Owner", "jo"),)),
    ],
)
def test_owner_tags(tags: tuple[Tag, ...] | None, expected: tuple[Tag, ...] | None) -> None:
    assert with_owner_tag(tags, "owner") == expected
    assert with_owner_tag(tags, None) == tags
