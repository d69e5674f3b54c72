"""The file of a task's log: readable, bounded, without secrets."""

import logging
from pathlib import Path

from raito_pipeline.raito.task_log import LONGEST_LINE, write_log

LINE = (1_764_099_000.25, logging.WARNING, "upload_objects", "data_source_import: nothing is removed")


def test_a_line_says_when_how_bad_where_and_what(tmp_path: Path) -> None:
    file = write_log(tmp_path / "DS.log", [LINE, (1_764_099_001, logging.ERROR, "", "two\nlines")], ())
    assert file.path.read_text().splitlines() == [
        "2025-11-25T19:30:00.250Z WARNING  upload_objects: data_source_import: nothing is removed",
        "2025-11-25T19:30:01.000Z ERROR    two",
        "    lines",
    ]
    assert file.bytes == file.path.stat().st_size


def test_no_secret_gets_into_it(tmp_path: Path) -> None:
    password, key, session = "Corr3ct-horse!", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEXAMPLESESSION"
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"
    texts = [
        f"login with {password} failed",
        f"the key {key} is not valid",
        f"credentials: {{'SecretAccessKey': 'other-secret-value', 'SessionToken': '{session}'}}",
        f"aws_session_token={session}",
        f"Authorization: token {token} was refused; {token}",
        "PUT https://store.example/k?X-Amz-Security-Token=abcdef123&X-Amz-Signature=0123456789abcdef failed",
    ]
    lines = [(0.0, logging.INFO, "s", text) for text in texts]
    content = write_log(tmp_path / "x.log", lines, {password, key}).path.read_text()
    for secret in (password, key, session, token, "other-secret-value", "abcdef123", "0123456789abcdef"):
        assert secret not in content, secret
    assert content.count("\n") == len(texts)


def test_it_is_never_longer_than_it_may_be(tmp_path: Path) -> None:
    lines = [(0.0, logging.INFO, "s", f"line {n:06}") for n in range(20_000)]
    file = write_log(tmp_path / "x.log", [*lines, (0.0, logging.INFO, "s", "x" * 1_000_000)], (), most=50_000)
    content = file.path.read_text()
    assert file.bytes <= 50_000
    assert "line 000000" in content
    assert content.endswith("... (1000000 characters)\n")
    assert "lines left out" in content
    assert max(map(len, content.splitlines())) < LONGEST_LINE + 200
