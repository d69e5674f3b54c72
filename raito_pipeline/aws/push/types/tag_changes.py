"""The tags of an object of AWS: one change for all types, whose rows hold them as a request to AWS does.

`after` holds the tags that are new or get another value, `before` what these keys have until then. Others stay.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from raito_pipeline.aws.push.changes import NOTHING, Aws, Change, Present, Things
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.documents.statements import compact
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.owners.owner_tags import tags_of_request
from raito_pipeline.model import Tag


class TagObject(Change):
    """An object says by tags for whom it is."""

    KIND, OPERATION, EFFECT = "", "tag", Effect.NEITHER
    makes = removes = NOTHING

    @abstractmethod
    def thing(self) -> str:
        """The object, as changes name it."""

    @abstractmethod
    def tags_now(self, aws: Aws) -> tuple[Tag, ...] | None:
        """The tags that it carries; None where it is not there. Raises `AwsError`."""

    @abstractmethod
    def is_ours(self, aws: Aws) -> bool:
        """True where it may be changed, false where it is gone. Raises `ChangeRefused`, `AwsError`."""

    @abstractmethod
    def add(self, aws: Aws, tags: Sequence[Mapping[str, str]]) -> None:
        """Add tags, or change their values. Raises `AwsError`."""

    @property
    def needs(self) -> Things:
        return frozenset({self.thing()})

    @property
    def place(self) -> tuple[str, ...]:
        # Beside what else is changed of the object.
        return (*super().place, self.OPERATION)

    def current(self, aws: Aws) -> Present:
        keys = {tag.key for tag in tags_of_request(self.row.after)}
        return Present(tags_text(tag for tag in self.tags_now(aws) or () if tag.key in keys))

    def apply(self, aws: Aws) -> None:
        if self.is_ours(aws):
            self.add(aws, self.request()["Tags"])


def tags_text(tags: Iterable[Tag]) -> str | None:
    """Tags as a row holds them; None for none."""
    listed = [{"Key": tag.key, "Value": tag.value} for tag in tags]
    return compact({"Tags": listed}) if listed else None


MOST_TAGS = 50
"""of a role, a policy, a permission set or an access point:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


def plan_tags(
    draft: Draft,
    tagging: type[TagObject],
    resource: str,
    had: Iterable[Tag],
    wanted: Iterable[Tag],
    why: str,
    sent_along: Iterable[Tag] = (),
) -> None:
    """Plan the tags of `wanted` that are new or have another value; one change an object, whoever asks for them.

    `sent_along` are set once more, where others are set.
    """
    there = {tag.key: tag.value for tag in had}
    new = {tag.key: tag for tag in wanted if there.get(tag.key) != tag.value}
    if not new:
        return
    new |= {tag.key: tag for tag in sent_along}
    place = (tagging.KIND, tagging.OPERATION, resource)
    planned = next((row for row in draft.rows if (row.kind, row.operation, row.resource) == place), None)
    asked = {} if planned is None else {tag.key: tag for tag in tags_of_request(planned.after)}
    added = [key for key in new if key not in there and key not in asked]
    if len(there.keys() | asked.keys() | new.keys()) > MOST_TAGS:
        draft.warnings.append(
            f"AWS takes {MOST_TAGS} tags, and {resource} has {len(there)}: without {', '.join(added)}"
        )
        new = {key: tag for key, tag in new.items() if key not in added and there.get(key) != tag.value}
        if not new:
            return
    new = asked | new
    before = tags_text(Tag(key, there[key]) for key in new if key in there)
    after = tags_text(new.values())
    if planned is None:
        draft.change(tagging, resource, why, before=before, after=after)
    else:
        draft.rows = [replace(row, before=before, after=after) if row is planned else row for row in draft.rows]
