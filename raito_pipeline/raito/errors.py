"""What can go wrong between the pipeline and Raito Cloud, each with one line that says what to do about it."""

from collections.abc import Mapping, Sequence


class RaitoError(Exception):
    """A call to Raito Cloud that did not do what was asked. `retry_helps` is true where repeating it may."""

    retry_helps = False


class InvalidDomain(RaitoError):
    """The domain of `raito.yml` cannot be one; nothing was called."""

    def __init__(self, domain: str) -> None:
        super().__init__(
            f"domain {domain!r} cannot be a Raito Cloud domain: it takes lower-case letters, digits and -, begins with "
            "a letter and does not end with -. Correct `domain`; nothing was sent."
        )
        self.domain = domain


class LoginNotReadable(RaitoError):
    """A part of the login that stands elsewhere (a variable, a secret of AWS) cannot be read; nothing was called.

    `place` is where `raito.yml` asks for it, `value` what it asks for, `reason` why it cannot be read and what to do.
    """

    def __init__(self, place: str, value: str, reason: str) -> None:
        super().__init__(f"{place}: {value} cannot be read: {reason.rstrip('.')}. Nothing was sent to Raito Cloud.")
        self.place, self.value, self.reason = place, value, reason


class RaitoUnreachable(RaitoError):
    """No connection to Raito Cloud (or to its file store or login), or it broke off, through all retries."""

    retry_helps = True

    def __init__(self, what: str, url: str, reason: str, proxy: str | None = None) -> None:
        through = f" through the proxy {proxy}" if proxy else ""
        check = "HTTPS_PROXY, HTTP_PROXY and NO_PROXY" if proxy else "raito-url-override and the network"
        super().__init__(f"{what}: {url} cannot be reached{through}: {reason}. Check {check}.")
        self.what, self.url, self.reason = what, url, reason


class UnknownDomain(RaitoError):
    """Raito Cloud does not know the domain."""

    def __init__(self, domain: str, url: str, status: int) -> None:
        super().__init__(
            f"Raito Cloud at {url} does not know the domain {domain!r} (status {status}). Check `domain` and "
            "raito-url-override."
        )
        self.domain, self.url, self.status = domain, url, status


class RaitoLoginFailed(RaitoError):
    """Raito Cloud's login service did not accept the user."""

    def __init__(self, user: str, domain: str, reason: str) -> None:
        super().__init__(
            f"login to Raito Cloud failed for {user!r} in domain {domain!r}: {reason}. Check api-user and api-secret."
        )
        self.user, self.domain, self.reason = user, domain, reason


class RaitoRefused(RaitoError):
    """Raito Cloud answered, and the answer is an error. `messages` holds every message it gave, `status` is HTTP's,
    `retry_after` the seconds that it asked to wait; with `page` a page for people came instead of an answer."""

    def __init__(
        self,
        what: str,
        messages: Sequence[str],
        *,
        status: int = 200,
        kind: str = "",
        retry_after: float = 0.0,
        page: bool = False,
    ) -> None:
        given = "; ".join(messages) or "no message"
        about = f" (status {status})" if status != 200 else f" ({kind})" if kind else ""
        remedy = _remedy(status, page=page)
        super().__init__(f"{what}: Raito Cloud refused{about}: {given.rstrip('.')}.{remedy}")
        self.what, self.messages, self.status, self.kind = what, tuple(messages), status, kind
        self.retry_after = retry_after
        self.retry_helps = status in (429, 500, 502, 503, 504)


def _remedy(status: int, *, page: bool) -> str:
    """What to do about a status of HTTP; what else is wrong, the messages say."""
    if 300 <= status < 400:
        return " It sends on to another address: correct raito-url-override, or ask who runs the network."
    if status == 407:
        return " A proxy between wants a login: name it in HTTPS_PROXY or HTTP_PROXY, or the host in NO_PROXY."
    if page and status < 500:
        return " That is a page for people, of a proxy between perhaps: ask who runs the network."
    if status in (401, 403):
        return " Check api-user, and what it may do in Raito Cloud."
    if status == 429:
        return " It was asked too much at a time: sync again later."
    if status >= 500:
        return " That is a fault of Raito Cloud: sync again later, and tell Raito where it stays so."
    return ""


class AddressEnded(RaitoError):
    """A signed address is good no more; a new one may be."""

    retry_helps = True

    def __init__(self, what: str, url: str, status: int) -> None:
        super().__init__(f"{what}: the signed address {url} had ended (status {status}). Run this again.")
        self.what, self.url, self.status = what, url, status


class VersionNotSupported(RaitoError):
    """Raito Cloud does not take this version any more, or not yet."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}. Install a version of raito-pipeline that it supports; nothing was sent.")


class JobRefused(RaitoError):
    """Raito Cloud made no job for a target, so nothing can be sent for it."""

    def __init__(self, target: str, ids: Mapping[str, str | None], cause: "RaitoRefused") -> None:
        given = " and ".join(f"{name} {value!r}" for name, value in ids.items() if value) or "no ids"
        what = "; ".join(cause.messages) or "no message"
        about = f" (status {cause.status})" if cause.status != 200 else ""
        todo = (
            "Run this again later"
            if cause.retry_helps
            else f"Correct {' and '.join(name for name, value in ids.items() if value) or 'the ids'}, or let the API "
            "user work with them"
        )
        super().__init__(
            f"Raito Cloud refused{about} to begin a job for target {target} with {given}: {what.rstrip('.')}. "
            f"{todo}; nothing was sent for this target."
        )
        self.target, self.messages, self.status = target, cause.messages, cause.status
        self.retry_helps = cause.retry_helps


class ImportsUnderWay(RaitoError):
    """The access controls were asked for before what they are calculated from had arrived."""

    retry_helps = True

    def __init__(self, target: str, tables: Sequence[str]) -> None:
        super().__init__(
            f"the export of the access controls of {target} waits for {' and '.join(tables)} of this run, which did "
            "not end yet: it would be of an earlier calculation. Materialize access_controls after them."
        )
        self.target, self.tables = target, tuple(tables)


class UploadFailed(RaitoError):
    """A file could not be put where Raito Cloud wanted it, in three attempts."""

    retry_helps = True

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"upload of {file} failed three times: {reason}. Nothing was imported; run this again.")
        self.file, self.reason = file, reason


class ImportFailed(RaitoError):
    """Raito Cloud worked on an import or export and gave it up. `errors` holds everything it said."""

    def __init__(self, job_type: str, job_id: str, subtask_id: str, errors: Sequence[str]) -> None:
        given = "; ".join(errors) or "it gave no reason"
        super().__init__(f"{job_type} task of job {job_id} failed in Raito Cloud (subtask {subtask_id}): {given}")
        self.job_type, self.job_id, self.subtask_id, self.errors = job_type, job_id, subtask_id, tuple(errors)


class ImportTimedOut(RaitoError):
    """Raito Cloud did not finish an import or export in time (its own time, or ours)."""

    retry_helps = True

    def __init__(self, job_type: str, job_id: str, subtask_id: str, waited: float, errors: Sequence[str] = ()) -> None:
        given = f": {'; '.join(errors)}" if errors else ""
        super().__init__(
            f"{job_type} task of job {job_id} was not finished by Raito Cloud within {waited:.0f} s "
            f"(subtask {subtask_id}){given}. Look at the job in Raito Cloud, then run this again."
        )
        self.job_type, self.job_id, self.subtask_id, self.waited = job_type, job_id, subtask_id, waited


class ExportUnreadable(RaitoError):
    """The exported access controls are not what the format says."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"export of access controls: {where}: {reason}. Nothing was changed in AWS.")
        self.where, self.reason = where, reason
