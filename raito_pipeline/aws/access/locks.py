"""What `raito.yml` says of the finished access providers: names, owners, and what Raito Cloud cannot edit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from raito_pipeline.config.groups import AccessOptions, Locks
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.model import AccessProvider, Tag
from raito_pipeline.model.owners import owners_of, with_owner_tag

AWS_MANAGED = "This policy is managed by AWS"
BUCKET_POLICY = "Bucket policies are read only"
PERMISSION_SET = "For imported permission sets, only the WHO can be edited"

_PARTS = (
    ("who_locked", "who", "who"),
    ("inheritance_locked", "inheritance", "inheritance"),
    ("what_locked", "what", "what"),
    ("name_locked", "names", "name"),
    ("delete_locked", "delete", "deletion"),
)
"""column, part of the option's name, and what people call it"""


def with_options(row: AccessProvider, options: AccessOptions) -> AccessProvider:
    """An access provider with the name, owners and locks that the options give it. Locks are judged by its own name."""
    locks, tags = options.locks, row.tags or ()
    name_tag = options.tag_overwrite_key_for_access_provider_name
    owner_tag = options.tag_overwrite_key_for_access_provider_owners
    changed: dict[str, Any] = {}
    for column, part, noun in _PARTS:
        reason = getattr(row, column) or _reason(locks, part, noun, row)
        changed[column] = reason
    owners = with_owner_tag(tags, owner_tag)
    if locks.lock_all_owners:
        changed["owners_locked"] = "lock-all-owners locks the owners of all imported access providers"
    if owners_of(tags, owner_tag):
        changed["owners_locked"] = f"the owners are those of the tag {owner_tag}"
    name = next((tag.value for tag in tags if tag.key == name_tag and tag.value), None)
    if name is not None:
        changed["name_locked"] = f"the name is that of the tag {name_tag}"
    return replace(
        row,
        name=name or row.name,
        tags=tuple(owners) if owners else row.tags,
        not_internalizable=row.not_internalizable or _fully(locks, row),
        **changed,
    )


def _reason(locks: Locks, part: str, noun: str, row: AccessProvider) -> str | None:
    if getattr(locks, f"lock_all_{part}"):
        return f"lock-all-{part} locks the {noun} of all imported access providers"
    if matches_any(getattr(locks, f"lock_{part}_by_name"), row.name):
        return f"lock-{part}-by-name locks the {noun} by the name of the access provider"
    if _has_tag(getattr(locks, f"lock_{part}_by_tag"), row.tags):
        return f"lock-{part}-by-tag locks the {noun} by a tag of the access provider"
    if row.incomplete and getattr(locks, f"lock_{part}_when_incomplete"):
        return f"lock-{part}-when-incomplete locks the {noun}, because the access provider is incomplete"
    return None


def _fully(locks: Locks, row: AccessProvider) -> bool:
    return (
        locks.fully_lock_all
        or matches_any(locks.fully_lock_by_name, row.name)
        or _has_tag(locks.fully_lock_by_tag, row.tags)
        or (row.incomplete and locks.fully_lock_when_incomplete)
    )


def _has_tag(wanted: Sequence[str], tags: Sequence[Tag] | None) -> bool:
    return any(f"{tag.key}:{tag.value}" in wanted for tag in tags or ())
