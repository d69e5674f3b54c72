"""The commands as a shell sees them: exit status, output, and a reader that has had enough."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from raito_pipeline.cli import main

FILE = """\
api-user: robot
api-secret: "{{RAITO_SECRET_THAT_IS_NOT_SET}}"
domain: acme
debug: true
targets:
- {name: one, connector-name: raito-io/cli-plugin-aws-account, aws-account-id: "111122223333", aws-regions: eu-west-1,
   data-source-id: d, identity-store-id: i, aws-sso-role-prefix: x-}
"""


def command(folder: Path, *words: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run `raito-pipeline` on a terminal of 80 columns."""
    environ = {name: value for name, value in os.environ.items() if name != "RAITO_CONFIG_FILE"}
    return subprocess.run(
        [sys.executable, "-m", "raito_pipeline.cli", *words],
        cwd=folder,
        env={**environ, "COLUMNS": "80", "HOME": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "words", [("info",), ("info", "--iam-policy"), ("--help",), ("info", "--help")], ids=lambda words: " ".join(words)
)
def test_a_reader_that_is_gone_is_no_error(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "raito.yml").write_text(FILE)
    reads, writes = os.pipe()
    os.close(reads)
    try:
        ended = command(tmp_path, *words, stdout=writes)
    finally:
        os.close(writes)
    assert "Traceback" not in ended.stderr
    assert "BrokenPipe" not in ended.stderr
    assert ended.returncode in (0, 141)  # argparse swallows it itself


@pytest.mark.parametrize(("word", "status"), [("plan", 1), ("apply", 1), ("info", 2)])
def test_an_option_that_is_none_is_no_plan_with_changes(word: str, status: int) -> None:
    with pytest.raises(SystemExit) as ended:
        main([word, "--no-such-option"])
    assert ended.value.code == status


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_output_to_a_full_disk_is_a_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = command(tmp_path, "info", stdout=full.fileno())
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "the output (or a file) could not be read or written: No space left on device" in ended.stderr


def test_a_place_that_cannot_be_written_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["sandbox", "--directory", str(tmp_path / "file" / "estate")]) == 1
    assert f"{tmp_path / 'file' / 'estate'} could not be read or written: Not a directory" in capsys.readouterr().err


def test_output_that_is_closed_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert main(["info", "mode"]) == 0


def test_a_login_that_is_not_set_is_a_wrong_configuration_of_run_and_not_of_info(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "raito.yml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    assert main(["info", "--iam-policy"]) == 0
    assert "debug" in capsys.readouterr().err
    assert main(["run"]) == 2
    assert "RAITO_SECRET_THAT_IS_NOT_SET to be set" in capsys.readouterr().err


def test_an_interruption_while_it_still_loads_is_no_traceback() -> None:
    interrupted = """
import sys

class Interrupted:
    def find_spec(self, name, *_):
        if name == "pydantic":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
import raito_pipeline.cli
"""
    ended = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (130, "")
