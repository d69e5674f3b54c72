"""The client of the store on S3: one for each way to reach it, made anew where its credentials may have changed."""

import contextlib
import functools
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConfigParseError, ProfileNotFound

from raito_pipeline.config.addresses import ALLOWED, PLAIN_HTTP, is_exposed
from raito_pipeline.config.profiles import doubts
from raito_pipeline.sdk_models import SIGNS_IN_WITHIN, asks_for_code, session_with_shared_models, sign_in
from raito_pipeline.storage.errors import StorageCredentials, StorageExposed

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_ATTEMPTS = 5
_one_at_a_time = threading.Lock()


def client_of(options: Mapping[str, str]) -> "S3Client":
    """The client of boto3 for the options of an address (`S3Files`): `profile`, `region`, `endpoint_override`, ...

    Raises `StorageCredentials`, `StorageExposed`, and what boto3 raises.
    """
    with _one_at_a_time:
        return _client(tuple(sorted(options.items())), _surroundings())


_FILES_OF_AWS = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))


def _surroundings() -> tuple[object, ...]:
    """What the credentials and the address of a client come from: one is used as long as nothing of it changes."""
    variables = sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))
    return (*variables, *(_changed(Path(os.environ.get(name, usual)).expanduser()) for name, usual in _FILES_OF_AWS))


def _changed(file: Path) -> tuple[str, int]:
    try:
        return str(file), file.stat().st_mtime_ns
    except OSError:
        return str(file), 0


@functools.lru_cache(maxsize=8)
def _client(options: tuple[tuple[str, str], ...], _surroundings: tuple[object, ...]) -> "S3Client":
    given = dict(options)
    core = botocore.session.Session(profile=given.get("profile"))
    with _what_escapes_the_sdk(core):
        return _made(core, given)


def _made(core: botocore.session.Session, given: Mapping[str, str]) -> "S3Client":
    session = session_with_shared_models(core, given.get("region"))
    _sign_in(core)
    host = given.get("endpoint_override")
    config = Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        connect_timeout=10,
        read_timeout=60,
        user_agent_extra="raito-pipeline",
    )
    endpoint = f"{given.get('scheme', 'https')}://{host}" if host else None
    region = session.region_name or "us-east-1"
    client = session.client("s3", region_name=region, endpoint_url=endpoint, config=config)
    # Of whatever named the address: the storage, the profile, or the environment.
    if is_exposed(client.meta.endpoint_url) and given.get(PLAIN_HTTP) != ALLOWED:
        raise StorageExposed(endpoint=client.meta.endpoint_url)
    return client


@contextlib.contextmanager
def _what_escapes_the_sdk(core: botocore.session.Session) -> Iterator[None]:
    """Programs and files of a profile fail with whatever they fail with, also with what stands for a missing table."""
    try:
        yield
    except (ProfileNotFound, ConfigParseError) as error:
        reasons = (str(error).rstrip("."), *doubts(core.profile, os.environ, Path.home()))
        raise StorageCredentials(profile=core.profile or "default", reason="; ".join(reasons)) from error
    except (BotoCoreError, ClientError):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise StorageCredentials(profile=core.profile or "default", reason=reason) from error


def _sign_in(core: botocore.session.Session) -> None:
    """Get credentials now, so that what fails is no answer about an object. None at all is told by the first call.

    Nobody is there to type in a code that a profile wants (`mfa_serial`).
    """
    asked = asks_for_code(core)
    if asked is not None:
        raise StorageCredentials(profile=asked[0], reason=f"it wants a code of its mfa_serial {asked[1]}")
    if not sign_in(core, SIGNS_IN_WITHIN):
        reason = f"none came within {SIGNS_IN_WITHIN:g} seconds: run its program by hand and see what it waits for"
        raise StorageCredentials(profile=core.profile or "default", reason=reason)
