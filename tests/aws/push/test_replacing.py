"""An object that another one takes the place of: what only takes access away, of what would be planned for it."""

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.replacing import only_revoking

from .conftest import Story, arn, text, trust
from .situations import gives

TYPES = ACCESS_PROVIDER_TYPES.push


def test_of_changes_remains_what_takes_access_and_gives_none() -> None:
    story = Story().control("a", "r").change("update", "role-trust", "r", trust("ada"), text(trust("ada", "bob")))
    story.change("attach", "attachment", "user:ada", arn("p")).change(
        "detach", "attachment", "user:bob", None, arn("p")
    )
    story.change("create", "policy-version", arn("p"), gives("data/a/*", "data/new/*"), gives("data/a/*", "data/old/*"))
    story.change("create", "policy-version", arn("q"), gives("data/a/*"), None).change("delete", "role", "r")

    found = only_revoking(TYPES.changes(story.changes))

    assert [(row.operation, row.resource, row.after) for row in found[:2]] == [
        ("update", "r", text(trust("ada"))), ("detach", "user:bob", None),
    ]  # fmt: skip
    (narrowed,) = found[2:]
    assert (narrowed.resource, "data/a/*" in (narrowed.after or "")) == (arn("p"), True)
    assert not any(each in (narrowed.after or "") for each in ("data/new", "data/old"))
