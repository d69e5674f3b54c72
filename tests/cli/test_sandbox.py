"""`raito-pipeline sandbox`: what it takes for a good end, and what it says where its extra is not installed."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from raito_pipeline.cli.sandbox import only_refused
from raito_pipeline.cli.summary import Stored, SyncSummary
from tests.cli.test_summary import ACCOUNT, cell, ended, imported, of, pushed

EXPECTED = frozenset({"ac-1", "ac-2"})
REFUSED = pushed("pushed", "refused", "refused")
CASES: dict[str, tuple[SyncSummary, bool]] = {
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


HIDDEN = textwrap.dedent("""
    import sys

    class Hidden:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == sys.argv[1]:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, Hidden())
    from raito_pipeline.cli import main
    sys.exit(main(["sandbox", "--directory", sys.argv[2]]))
""")


@pytest.mark.parametrize("module", ["moto", "ariadne", "sqlalchemy"])
def test_a_missing_extra_is_said_in_a_line(module: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HIDDEN, module, str(tmp_path / "sandbox")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.endswith("pip install 'raito-pipeline[sandbox]'")
    assert module in line
    assert not (tmp_path / "sandbox").exists()
