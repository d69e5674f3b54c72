"""Tags as Raito Cloud takes them, and the rules that read a meaning out of them."""

from collections.abc import Sequence

from raito_pipeline.model import Tag

TAG_SOURCE = "aws-s3"


def tag_elements(tags: Sequence[Tag] | None) -> list[dict[str, str]] | None:
    """Tags read from AWS as JSON elements; None stays None."""
    if tags is None:
        return None
    return [{"key": tag.key, "value": tag.value, "source": TAG_SOURCE} for tag in tags]


def is_machine(tags: Sequence[Tag], key_and_value: str | None) -> bool:
    """True where one of the tags is `key:value`, without regard to case."""
    if not key_and_value:
        return False
    wanted = key_and_value.casefold()
    return any(f"{tag.key}:{tag.value}".casefold() == wanted for tag in tags)


def email_of(tags: Sequence[Tag], otherwise: str) -> str:
    """The value of the first tag, by key, whose key contains `email`; else `otherwise`. Blanks are no address: all who
    have them would have the same."""
    emails = (tag.value.strip() for tag in sorted(tags) if "email" in tag.key)
    return next(filter(None, emails), otherwise)
