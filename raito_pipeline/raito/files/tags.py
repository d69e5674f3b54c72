"""Tags as Raito Cloud takes them, and the rules that read a meaning out of them."""

from collections.abc import Iterable, Sequence

from raito_pipeline.model import Tag

TAG_SOURCE = "aws-s3"
OWNER_KEY = "raito_owner"


def tag_elements(tags: Sequence[Tag] | None) -> list[dict[str, str]] | None:
    """Tags read from AWS as JSON elements; None stays None."""
    if tags is None:
        return None
    return [{"key": tag.key, "value": tag.value, "source": TAG_SOURCE} for tag in tags]


def with_owner_tag(tags: tuple[Tag, ...] | None, key: str | None) -> tuple[Tag, ...] | None:
    """Tags where the owners that the tag `key` names are in the tag `raito_owner`, after those it had.

    Owners are account names or `email:...`, separated by commas. Without `key`, or without such a tag, nothing changes.
    """
    if not key or not tags:
        return tags
    named = _owners(tag.value for tag in tags if tag.key == key)
    if not named:
        return tags
    had = _owners(tag.value for tag in tags if tag.key == OWNER_KEY)
    owner = Tag(OWNER_KEY, ",".join(dict.fromkeys([*had, *named])))
    return (*(tag for tag in tags if tag.key != OWNER_KEY), owner)


def _owners(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def is_machine(tags: Sequence[Tag], key_and_value: str | None) -> bool:
    """True where one of the tags is `key:value`, without regard to case."""
    if not key_and_value:
        return False
    wanted = key_and_value.casefold()
    return any(f"{tag.key}:{tag.value}".casefold() == wanted for tag in tags)


def email_of(tags: Sequence[Tag], otherwise: str) -> str:
    """The value of the first tag, by key, whose key contains `email`; else `otherwise`."""
    found = (tag.value for tag in sorted(tags) if "email" in tag.key)
    return next(found, otherwise)
