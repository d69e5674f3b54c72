"""`raito-pipeline sandbox` says what to install where its extra is missing."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HIDDEN = textwrap.dedent("""
    import contextlib, io, json, sys

    class Hidden:
        name = ""

        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == self.name:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    hidden, told = Hidden(), {}
    sys.meta_path.insert(0, hidden)
    from raito_pipeline.cli import main
    for hidden.name in sys.argv[2:]:
        assert hidden.name not in sys.modules
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            status = main(["sandbox", "--directory", sys.argv[1]])
        told[hidden.name] = status, out.getvalue(), err.getvalue()
    print(json.dumps(told))
""")
MODULES = ("moto", "sqlalchemy", "ariadne")
"""In the order in which the command asks for them: each may only be hidden as long as it was not imported."""
Told = dict[str, tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("missing") / "sandbox"


@pytest.fixture(scope="module")
def told(folder: Path) -> Told:
    """Of each module: how the command ends without it, and what it prints, one after the other in one process.

    What was imported until the first was missing need not be imported for the next.
    """
    command = [sys.executable, "-c", HIDDEN, str(folder), *MODULES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {module: tuple(each) for module, each in json.loads(done.stdout).items()}


@pytest.mark.parametrize("module", MODULES)
def test_a_missing_extra_is_said_in_a_line(module: str, told: Told, folder: Path) -> None:
    status, out, err = told[module]

    assert status == 2, err
    assert out == ""
    (line,) = err.splitlines()
    assert line.endswith("pip install 'raito-pipeline[sandbox]'")
    assert module in line
    assert not folder.exists()
