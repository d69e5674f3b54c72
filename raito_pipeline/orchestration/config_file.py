"""The configuration of a deployment: a file, or an object on S3 (`s3://BUCKET/KEY`) that all its processes read.

What reads options must not load an AWS SDK, so that the way to S3 is here and not in `config`.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from raito_pipeline.config import ConfigError, Options, Problem, load, load_content
from raito_pipeline.config.edit import write_text
from raito_pipeline.config.environment import CONFIG_FILE_VARIABLE, variable
from raito_pipeline.config.kinds import TRUE
from raito_pipeline.config.load import LARGEST

_ADDRESS = re.compile(r"s3:/{1,2}(?P<bucket>[^/]+)/(?P<key>.+)")
_ATTEMPTS, _PATIENCE = 5, 30.0
_READ, _WRITE = "s3:GetObject", "s3:PutObject"
_WHAT = {_READ: "an object that cannot be read", _WRITE: "an object that cannot be written"}


def s3_address(place: str | Path | None) -> str | None:
    """The address on S3 that a place is (a `Path` of it has lost a slash); None for a file."""
    match = _ADDRESS.fullmatch(str(place or ""))
    return None if match is None else f"s3://{match['bucket']}/{match['key']}"


def load_configuration(
    place: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    only_targets: Sequence[str] | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Options:
    """Read a configuration from a file or from S3; as `config.load`, which does it for files.

    Without `place`, `RAITO_CONFIG_FILE` may be an address on S3, too. It is read with the default credentials of the
    AWS SDK, which need `s3:GetObject` for it. Raises `ConfigError`.
    """
    environ = os.environ if environ is None else environ
    address = s3_address(environ.get(CONFIG_FILE_VARIABLE) if place is None else place)
    if address is None:
        return load(None if place is None else Path(place), environ, only_targets, overrides)
    content = _content(address, environ) or b""
    return load_content(
        content,
        address,
        environ,
        only_targets,
        overrides,
        beside=partial(_content, environ=environ, may_be_missing=True),
    )


def read_beside(place: str) -> str | None:
    """The text of the file of discovered targets at a path or address; None where it is not there yet.

    Raises `ConfigError`, `OSError`.
    """
    if s3_address(place) is None:
        try:
            return Path(place).read_bytes().decode()
        except FileNotFoundError:
            return None
    content = _content(place, os.environ, may_be_missing=True)
    return None if content is None else content.decode()


def write_beside(place: str, text: str) -> None:
    """Write the file of discovered targets, whole or not at all. On S3 that needs `s3:PutObject`.

    Raises `ConfigError`, `OSError`.
    """
    if s3_address(place) is None:
        write_text(Path(place), text)
        return
    bucket, key = _parts(place)
    with _on_s3(place, os.environ, _WRITE) as client:
        answer = client.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/yaml")
    if "ETag" not in answer:
        raise _problem(place, f"{_WHAT[_WRITE]} (what answered was not S3)")


def _content(address: str, environ: Mapping[str, str], *, may_be_missing: bool = False) -> bytes | None:
    """The bytes of an object, one more than a configuration may have at most; None where it may be missing, and is."""
    bucket, key = _parts(address)
    with _on_s3(address, environ, _READ) as client:
        try:
            return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read(LARGEST + 1))
        except client.exceptions.NoSuchKey:
            if not may_be_missing:
                raise
            return None


def _parts(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


@contextmanager
def _on_s3(address: str, environ: Mapping[str, str], action: str) -> Iterator[Any]:
    """A client of S3 for one object; what it fails with, before AWS or there, raises `ConfigError`. It asks nobody."""
    # Imported here: nobody who has a file needs to wait for it.
    from raito_pipeline.aws.connection.clients import AwsClients, aws_call
    from raito_pipeline.aws.connection.errors import AwsError

    allowed = environ.get(variable("allow-plain-http", below_pipeline=True) or "", "").strip().lower() in TRUE
    clients = AwsClients(None, attempts=_ATTEMPTS, patience=_PATIENCE, allow_plain_http=allowed)
    try:
        with aws_call(action, address):
            yield clients.client("s3")
    except AwsError as error:
        raise _problem(address, f"{_WHAT[action]} ({error})") from None


def _problem(address: str, found: str) -> ConfigError:
    expected = "a raito.yml that the default credentials may read (s3:GetObject)"
    return ConfigError([Problem(address, None, None, None, found, expected)])
