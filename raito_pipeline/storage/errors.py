"""What goes wrong with the storage itself, in words that say what was tried, where, and what to do."""

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError

from raito_pipeline.redaction import one_line
from raito_pipeline.sdk_models import NO_CREDENTIALS, SIGN_IN_ENDED

_REMEDIES = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there, or raise the quota",
    errno.EFBIG: "raise the largest file size that this process may write",
    errno.EACCES: "let the user of this process read and write there",
    errno.EPERM: "let the user of this process read and write there",
    errno.EROFS: "mount it so that it can be written",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away, or correct `pipeline: storage:`",
    errno.EISDIR: "a folder stands where a file is needed: move it away, or correct `pipeline: storage:`",
    errno.EMFILE: "raise the number of files that this process may open (ulimit -n)",
}
_DENIED = (
    "the credentials of this process need s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject, "
    "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload there"
)
_REMEDIES_OF_S3 = {
    "AccessDenied": _DENIED,
    "ACCESS_DENIED": _DENIED,
    "AllAccessDisabled": _DENIED,
    "403": _DENIED,
    "NoSuchBucket": "make the bucket, or correct `pipeline: storage:`",
    "NO_SUCH_BUCKET": "make the bucket, or correct `pipeline: storage:`",
    "NETWORK_CONNECTION": "see whether this machine reaches S3; then sync again",
}
_OTHERWISE = "sync again; where it stays so, see to the storage"


class StorageError(Exception):
    """The storage refused or failed (full, denied, not reachable). The stored cell stays as it was.

    `what` is the cell or file that was meant, `action` what was tried ("written"), `address` where.
    """

    def __init__(self, what: str, action: str, address: str, reason: str, remedy: str = _OTHERWISE) -> None:
        super().__init__(f"{what} could not be {action} ({address}): {reason}. What to do: {remedy}.")
        self.what, self.action, self.address, self.reason, self.remedy = what, action, address, reason, remedy


class StorageExposed(BotoCoreError):
    """What is stored would be sent to another machine over plain http, and nobody allowed it."""

    fmt = "{endpoint} is plain http on another machine, where anybody on the way reads it"


class StorageCredentials(BotoCoreError):
    """The profile that stores the tables gives no credentials, for a reason that the SDK has no error for."""

    fmt = "profile {profile} gives no credentials ({reason})"


class StorageForeign(BotoCoreError):
    """A 200 that S3 cannot have given: of a proxy, say, that answers with a page of its own or with nothing."""

    fmt = "what answered {operation} was not S3"


class UndeclaredRead(RuntimeError):
    """Rows were read of a table that is not declared as read by those that are being made.

    Its lineage, what an import waits for and the order of a sync would be wrong without a word.
    """

    def __init__(self, table: str, readable: Collection[str]) -> None:
        super().__init__(
            f"rows of {table} were read, and only those of {', '.join(sorted(readable))} are declared to be: name it "
            "in `reads`, `after` or `looks_at` of the table that is being made (raito_pipeline/model/)"
        )
        self.table = table


_NO_CREDENTIALS = (StorageCredentials, *NO_CREDENTIALS, *SIGN_IN_ENDED)
_SIGN_IN = "correct `storage-profile` or that profile in the AWS configuration files, or sign in anew (aws sso login)"


@contextmanager
def storage_errors(what: str, action: str, address: str) -> Iterator[None]:
    """Give every error of the file system and of S3 in the block as a `StorageError`.

    Only the storage's own work may stand in the block: an error of a reader that passes through would be taken for one.
    """
    try:
        yield
    except (OSError, pa.ArrowException, ClientError, BotoCoreError) as error:
        raise storage_error(error, what, action, address) from error


def storage_error(error: BaseException, what: str, action: str, address: str) -> StorageError:
    """What an error of the file system or of S3 means; for work that is done too often for a context each time."""
    return StorageError(what, action, address, _reason(error), _remedy(error))


def is_of_storage(error: BaseException) -> bool:
    """True where pyarrow could not read at all, false where it could not make sense of what it read.

    pyarrow gives both as `OSError`, those of the system with its error number; those of S3 are of boto3.
    """
    if isinstance(error, ClientError | BotoCoreError):
        return True
    return isinstance(error, OSError) and error.errno is not None


def _reason(error: BaseException) -> str:
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        answer = f"{error.operation_name} answered {said.get('Code', 'an error')}: {said.get('Message', '')}"
        return one_line(answer).rstrip(": .")
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)  # pyarrow's own words hide it behind "Error writing bytes to file"
    return one_line(str(error)).rstrip(".") or type(error).__name__


def _remedy(error: BaseException) -> str:
    if isinstance(error, StorageExposed):
        return "use an https:// address, or allow it: pipeline: {allow-plain-http: true}"
    if isinstance(error, _NO_CREDENTIALS):
        return _SIGN_IN
    if isinstance(error, StorageForeign):
        return "see what stands between this machine and S3, and which address the storage has; then sync again"
    if isinstance(error, ClientError):
        return _REMEDIES_OF_S3.get(error.response.get("Error", {}).get("Code", ""), _OTHERWISE)
    if isinstance(error, OSError) and error.errno is not None:
        return _REMEDIES.get(error.errno, _OTHERWISE)
    return next((remedy for code, remedy in _REMEDIES_OF_S3.items() if f"AWS Error {code}" in str(error)), _OTHERWISE)
