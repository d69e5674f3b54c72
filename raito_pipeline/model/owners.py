"""Owners of data objects and access providers, as tags name them."""

from collections.abc import Iterable

from raito_pipeline.model.common import Tag

OWNER_KEY = "raito_owner"


def with_owner_tag(tags: tuple[Tag, ...] | None, key: str | None) -> tuple[Tag, ...] | None:
    """Tags where the owners that the tag `key` names are in the tag `raito_owner`, after those it had.

    Owners are account names or `email:...`, separated by commas. Without `key`, or without such a tag, nothing changes.
    """
    named = owners_of(tags, key)
    if not tags or not named:
        return tags
    had = owners_of(tags, OWNER_KEY)
    owner = Tag(OWNER_KEY, ",".join(dict.fromkeys([*had, *named])))
    return (*(tag for tag in tags if tag.key != OWNER_KEY), owner)


def owners_of(tags: Iterable[Tag] | None, key: str | None) -> list[str]:
    """The owners that the tag `key` names; none without `key`, or without such a tag."""
    values = (tag.value for tag in tags or () if tag.key == key)
    return [part.strip() for value in values for part in value.split(",") if part.strip()]
