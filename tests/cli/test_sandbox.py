"""The embedded estate ends well only where exactly the access controls that a push refuses today were refused."""

import pytest

from raito_pipeline.cli.sandbox import only_refused
from raito_pipeline.cli.summary import Stored, Summary
from tests.cli.test_summary import ACCOUNT, cell, ended, imported, of, pushed

EXPECTED = frozenset({"ac-1", "ac-2"})
REFUSED = pushed("pushed", "refused", "refused")
CASES: dict[str, tuple[Summary, bool]] = {
    "exactly these": (of(Stored(imports=(imported(),), push_results=REFUSED)), True),
    "one fewer": (of(Stored(push_results=REFUSED[:2])), False),
    "one more": (of(Stored(push_results=pushed("refused", "refused", "refused"))), False),
    "another one": (of(Stored(push_results=pushed("refused", "refused"))), False),
    "one failed": (of(Stored(push_results=pushed("failed", "refused", "refused"))), False),
    "none at all": (of(Stored(push_results=pushed("pushed"))), False),
    "and a partial cell": (of(Stored(cells=(cell("data_objects", "x", ("tags",)),), push_results=REFUSED)), False),
    "and an import that removed nothing": (of(Stored(imports=(imported(reason="old"),), push_results=REFUSED)), False),
    "and a failed cell": (of(Stored(push_results=REFUSED), ended(f"iam_users {ACCOUNT}: no")), False),
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_but_the_expected_refusals_is_taken_for_well(name: str) -> None:
    value, well = CASES[name]
    assert only_refused(value, EXPECTED) is well
