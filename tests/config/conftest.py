"""What the tests of the configuration share: small files with one account, and a way to load them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import dedent, indent
from typing import Protocol

import pytest

from raito_pipeline.config import ConfigError, Options, Problem, load

ACCOUNT = "raito-io/cli-plugin-aws-account"
ORGANIZATION = "raito-io/cli-plugin-aws-organization"
SECRET = "s3cr3t-hunter2"
LOGIN = f"api-user: robot\napi-secret: {SECRET}\ndomain: acme\n"


def account(
    extra: str = "", *, name: str = "one", account_id: str = "123456789012", regions: str = "eu-central-1"
) -> str:
    """One account target as an entry of `targets`; `extra` holds more options of it. Its ids come last."""
    lines = [f"name: {name}", f"connector-name: {ACCOUNT}", f"aws-account-id: {account_id}"]
    if regions:
        lines.append(f"aws-regions: {regions}")
    return _entry(lines, extra, {"data-source-id": f"ds-{name}", "identity-store-id": f"is-{name}"})


def organization(
    extra: str = "", *, name: str = "org", account_id: str = "999999999999", region: str = "eu-central-1"
) -> str:
    """One organization target as an entry of `targets`."""
    lines = [f"name: {name}", f"connector-name: {ORGANIZATION}", f"aws-account-id: {account_id}"]
    if region:
        lines.append(f"aws-region: {region}")
    return _entry(lines, extra, {"identity-store-id": f"is-{name}"})


def _entry(lines: Sequence[str], extra: str, ids: Mapping[str, str]) -> str:
    given = dedent(extra).strip()
    missing = [f'{option}: "{value}"' for option, value in ids.items() if f"{option}:" not in given]
    body = "\n".join(each for each in [*lines, given, *missing] if each)
    return "  - " + indent(body, "    ").lstrip() + "\n"


def raito_yml(*targets: str, top: str = "", login: str = LOGIN) -> str:
    """A whole file. Its first line is the login's, unless `top` gives more lines, which come first."""
    return dedent(top).lstrip("\n") + login + "targets:\n" + "".join(targets or (account(),))


def besides(warnings: Iterable[Problem]) -> list[Problem]:
    """The warnings, but those of options that are not read yet (`test_options.py` has these)."""
    return [warning for warning in warnings if "not read yet" not in warning.found]


class Loads(Protocol):
    """Loads a text as `raito.yml`, with `environ` as the whole environment."""

    def __call__(
        self,
        text: str,
        environ: Mapping[str, str] | None = None,
        *,
        only_targets: Sequence[str] | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> Options: ...


class Fails(Protocol):
    """Loads a text that has problems, and gives them."""

    def __call__(
        self, text: str, environ: Mapping[str, str] | None = None, **options: object
    ) -> tuple[Problem, ...]: ...


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    def loads(
        text: str,
        environ: Mapping[str, str] | None = None,
        *,
        only_targets: Sequence[str] | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> Options:
        path = tmp_path / "raito.yml"
        path.write_text(text, encoding="utf-8")
        return load(path, {"HOME": str(tmp_path), **(environ or {})}, only_targets, overrides)

    return loads


@pytest.fixture
def fails(loads: Loads) -> Fails:
    def fails(text: str, environ: Mapping[str, str] | None = None, **options: object) -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            loads(text, environ, **options)  # type: ignore[arg-type]
        assert SECRET not in str(caught.value)
        return caught.value.problems

    return fails
