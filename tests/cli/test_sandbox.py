"""`raito-pipeline sandbox` says what to install where its extra is missing."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

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
