"""Upload of files: ask for a signed address, then put the bytes there.

A signed address is good for some minutes. One that ended while the upload was tried again, or before a long queue got
to it, is replaced by a new one; the address itself never reaches a message, as it lets anybody write.
"""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests

from raito_pipeline.raito.client import RaitoClient, without_case
from raito_pipeline.raito.errors import RaitoRefused, UploadFailed
from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.raito.jobs import Task
from raito_pipeline.raito.transport import ADDRESS_ENDED, reason_of, sent_on_to

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often one address is tried, and how many addresses are asked for."""
_PATH = "file/upload/signed-url"
_LOG_PATH = "file/upload/logs/signed-url"
# A bucket that is young answers with the address of its region, where the same request is to be made:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
_REPEATS_ELSEWHERE = frozenset({307, 308})
_MOST_REDIRECTS = 1
_READ_OF_AN_ERROR = 4096

_CLOCK = re.compile(r"RequestTimeTooSkewed|not yet valid", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SignedAddress:
    """Where a file may be put, with which headers, and the key that names it afterwards."""

    url: str
    key: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Put:
    """How one PUT ended: with `reason` empty it arrived; `ended` = the address is good no more."""

    reason: str = ""
    ended: bool = False


def upload(client: RaitoClient, file: ImportFile) -> str:
    """Upload a file and give the key that imports take; its path with `skip-file-upload`.

    Raises `UploadFailed`, `RaitoRefused`, `RaitoUnreachable`.
    """
    if client.connection.service.skip_file_upload:
        return str(file.path.absolute())
    return _put(client, file)


def upload_log(task: Task, file: ImportFile) -> str:
    """Upload the log of a task, attach it to the task, and give its key. Raises as `upload`."""
    client, job_type = task.job.client, task.job_type.value
    key = (
        str(file.path.absolute()) if client.connection.service.skip_file_upload else _put(client, file, log_of=job_type)
    )
    client.call("AddLogFileToTask", {"input": {"jobId": task.job.id, "jobType": job_type, "fileKey": key}})
    return key


def signed_address(client: RaitoClient, file: ImportFile, *, log_of: str | None = None) -> SignedAddress:
    """Ask for the address for this very content; `log_of` is the job type whose log it is. Raises `RaitoRefused`."""
    what = f"signed address for {file.path.name}"
    parameters = {"sha256": file.sha256_base64, "contentLength": str(file.bytes)}
    if log_of is not None:
        parameters = {"task": log_of, **parameters}
    path = _PATH if log_of is None else _LOG_PATH
    response = client.send("GET", path, what=what, repeatable=True, params=parameters)
    values = without_case(client.json_of(response, what))
    if not values.get("url") or not values.get("key"):
        raise RaitoRefused(what, ("the answer holds no URL or no Key",))
    try:
        signed = (values.get("signedheaders") or {}).items()
        headers = {name: given if isinstance(given, str) else ", ".join(given) for name, given in signed}
    except (AttributeError, TypeError):
        raise RaitoRefused(what, ("the signed headers of the answer are no headers",)) from None
    return SignedAddress(str(values["url"]), str(values["key"]), headers)


def _put(client: RaitoClient, file: ImportFile, *, log_of: str | None = None) -> str:
    """Put the file to a signed address, to a new one where one ended; gives the key. Raises as `upload`."""
    last = _Put()
    for number in range(ATTEMPTS):
        address = signed_address(client, file, log_of=log_of)
        last = _put_to(client, file, address)
        if not last.reason:
            return address.key
        if not last.ended:
            break
        logger.info("upload of %s: the signed address %s ended, asking for a new one", file.path.name, number + 1)
    raise UploadFailed(file.path.name, last.reason)


def _put_to(client: RaitoClient, file: ImportFile, address: SignedAddress) -> _Put:
    """Put the file to one address: three attempts, as long as the address is good."""
    last = _Put()
    for number in range(ATTEMPTS):
        if number:
            time.sleep(client.connection.retry_delay * 2 ** (number - 1))
        try:
            last = _attempt(client, file, address)
        except requests.RequestException as error:
            last = _Put(reason_of(error))
        if not last.reason or last.ended:
            break
    return last


def _attempt(client: RaitoClient, file: ImportFile, address: SignedAddress) -> _Put:
    """Put the file once, from its first byte, and where the store sends it on (once)."""
    url = address.url
    for redirects in range(_MOST_REDIRECTS + 1):
        with _sent(client, file, url, address.headers) as response:
            location = response.headers.get("Location") if response.status_code in _REPEATS_ELSEWHERE else None
            elsewhere = sent_on_to(url, location)
            if elsewhere is None or redirects == _MOST_REDIRECTS:
                return _outcome(response)
        url = elsewhere
    raise AssertionError("the last redirect is an outcome")


def _sent(client: RaitoClient, file: ImportFile, url: str, headers: Mapping[str, str]) -> requests.Response:
    with file.path.open("rb") as source:
        # An empty body must be given as bytes: requests would send an empty file in chunks, without a length.
        body = source if file.bytes else b""
        return client.plain_session.put(
            url,
            data=body,
            headers={**headers, "Content-Length": str(file.bytes)},
            timeout=client.timeout,
            allow_redirects=False,
            stream=True,
        )


def _outcome(response: requests.Response) -> _Put:
    status = response.status_code
    if status < 300:
        return _Put()
    shown = f"status {status} ({response.reason})"
    if status in (400, 401, 403):
        text = next(response.iter_content(_READ_OF_AN_ERROR), b"").decode("utf-8", "replace")
        if _CLOCK.search(text):
            return _Put(f"{shown}: the clocks of Raito Cloud and of its file store differ", ended=True)
        if ADDRESS_ENDED.search(text):
            return _Put(f"{shown}: the signed address ended before the file was there", ended=True)
    return _Put(shown)
