"""What external ids say of the documents that access providers were imported of."""

import pytest

from raito_pipeline.aws.push.account.imported_documents import InlineSource, inline_source


@pytest.mark.parametrize(
    ("external_id", "source"),
    [
        ("user:ada|inline:one|two|", InlineSource(("user", "ada"), ("one", "two"))),
        ("group:staff|inline:one|", InlineSource(("group", "staff"), ("one",))),
        ("policy:p", None),
        (None, None),
    ],
)
def test_what_an_external_id_names(external_id: str | None, source: InlineSource | None) -> None:
    assert inline_source(external_id) == source
