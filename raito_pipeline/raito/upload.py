"""Upload of files: ask for a signed address, then put the bytes there."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests

from raito_pipeline.raito.client import RaitoClient, without_case
from raito_pipeline.raito.errors import RaitoRefused, UploadFailed
from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.raito.jobs import Task
from raito_pipeline.raito.transport import reason_of

ATTEMPTS = 3
_PATH = "file/upload/signed-url"
_LOG_PATH = "file/upload/logs/signed-url"


@dataclass(frozen=True, slots=True)
class SignedAddress:
    """Where a file may be put, with which headers, and the key that names it afterwards."""

    url: str
    key: str
    headers: Mapping[str, str]


def upload(client: RaitoClient, file: ImportFile) -> str:
    """Upload a file and give the key that imports take; its path with `skip-file-upload`.

    Raises `UploadFailed`, `RaitoRefused`, `RaitoUnreachable`.
    """
    if client.settings.skip_file_upload:
        return str(file.path.absolute())
    return _put(client, file, signed_address(client, file))


def upload_log(task: Task, file: ImportFile) -> str:
    """Upload the log of a task, attach it to the task, and give its key. Raises as `upload`."""
    client, job_type = task.job.client, task.job_type.value
    if client.settings.skip_file_upload:
        key = str(file.path.absolute())
    else:
        key = _put(client, file, signed_address(client, file, log_of=job_type))
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
    signed = values.get("signedheaders") or {}
    headers = {name: ", ".join([given] if isinstance(given, str) else given) for name, given in signed.items()}
    return SignedAddress(str(values["url"]), str(values["key"]), headers)


def _put(client: RaitoClient, file: ImportFile, address: SignedAddress) -> str:
    reason = ""
    for number in range(ATTEMPTS):
        if number:
            time.sleep(client.settings.retry_delay * 2 ** (number - 1))
        try:
            reason = _attempt(client, file, address)
        except requests.RequestException as error:
            reason = reason_of(error)
        if not reason:
            return address.key
    raise UploadFailed(file.path.name, reason)


def _attempt(client: RaitoClient, file: ImportFile, address: SignedAddress) -> str:
    """Put the file once, from its first byte; gives why it failed, empty where it did not."""
    headers = {**address.headers, "Content-Length": str(file.bytes)}
    with file.path.open("rb") as source:
        # An empty body must be given as bytes: requests would send an empty file in chunks, without a length.
        body = source if file.bytes else b""
        response = client.plain_session.put(
            address.url, data=body, headers=headers, timeout=client.timeout, allow_redirects=False
        )
    with response:
        return "" if response.status_code < 300 else f"status {response.status_code} ({response.reason})"
