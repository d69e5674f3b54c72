"""An object that another one takes the place of: what only takes access away, of what would be planned for it."""

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.replacing import less, only_revoking

from .conftest import Story, arn, text, trust
from .pushing import VIEW
from .situations import gives

TYPES = ACCESS_PROVIDER_TYPES.push


def test_of_changes_remains_what_takes_access_and_gives_none() -> None:
    story = Story().control("a", "r").change("update", "role-trust", "r", trust("ada"), text(trust("ada", "bob")))
    story.change("attach", "attachment", "user:ada", arn("p")).change(
        "detach", "attachment", "user:bob", None, arn("p")
    )
    story.change("create", "policy-version", arn("p"), gives("data/a/*", "data/new/*"), gives("data/a/*", "data/old/*"))
    story.change("create", "policy-version", arn("q"), gives("data/a/*"), None).change("delete", "role", "r")

    found = only_revoking(TYPES.changes(story.changes), VIEW)

    assert [(row.operation, row.resource, row.after) for row in found[:2]] == [
        ("update", "r", text(trust("ada"))), ("detach", "user:bob", None),
    ]  # fmt: skip
    (narrowed,) = found[2:]
    assert (narrowed.resource, "data/a/*" in (narrowed.after or "")) == (arn("p"), True)
    assert not any(each in (narrowed.after or "") for each in ("data/new", "data/old"))


def test_other_words_for_the_same_are_no_loss() -> None:
    """Resources without their end, as the Raito CLI writes them, and actions by a wildcard."""
    both = gives("data/a/*", "data/b/*", action="s3:GetObject*")
    assert less(both, gives("data/a/*", "data/b/*", action="s3:GetObject*"), VIEW) is None
    assert less(gives("data/a/*", "data/a/*"), gives("data/a/*"), VIEW) is None
    left = less(gives("data/a/*", "data/b/*"), gives("data/a/*", "data/c/*"), VIEW) or ""
    assert ("data/a/*" in left, "data/b" in left, "data/c" in left) == (True, False, False)
    nothing = less(gives("data/b/*"), gives("data/a/*"), VIEW) or ""
    assert "data/" not in nothing
