"""Keeps secrets out of texts and out of every log line of the process."""

import logging
import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "***"
_SHORTEST = 4
_VALUE = r"""(?:"(?:[^"\\]|\\+.)*"|'(?:[^'\\]|\\+.)*'|[^\s'",;}&<]+)"""
"""a value in JSON (also where its escapes are escaped once more), in Python's notation, in a header or in a query"""
_ASSIGNED = r"""(?:['"]|\\")?\s*[:=]\s*(?:b(?=['"]))?"""
_NAMES = (
    # The service `secretsmanager` and the name in its ARNs (`ACCOUNT:secret:NAME`) are no secrets.
    r"(?!secretsmanager:)(?!(?<=\d{12}:)secret:)[\w-]*(?:secret|passw|credentials?)[\w-]*",
    r"[\w-]*(?:session|security|refresh|access|bearer|id)[-_]?token",
    r"(?:x-amz-)?signature",
    r"sig",
)
"""names of what is a secret, of header fields, parameters of addresses, members of JSON objects"""
_AUTHORIZATION = re.compile(
    r"(?i)(authorization(?:['\"]|\\\")?\s*[:=]\s*['\"]?(?:(?:token|bearer|basic|aws4-[\w-]+)\s+)?)[^\s'\"}]+"
)
_PATTERNS = (
    # JSON Web Tokens, wherever they stand.
    re.compile(r"()eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
    _AUTHORIZATION,
    *(re.compile(rf"(?i)(\b{name}{_ASSIGNED}){_VALUE}") for name in _NAMES),
    # A token of no kind, as a parameter or a member: before a colon alone the word begins many a sentence.
    re.compile(rf"(?i)((?<![\w-])token(?:=|\\?['\"]\s*:\s*)){_VALUE}"),
    # The same in XML: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    re.compile(r"(?i)(<(?:SecretAccessKey|SessionToken)>)[^<]*"),
    # Who logs in stands before the host of an address, with the password; that may hold signs that end a host.
    re.compile(r"""(://)[^\s/?#'"<>:@]*:(?!\d*[/?#])[^\s/?#'"<>@]*@?[/?#][^\s'"<>]{0,500}(?=@)"""),
    re.compile(r"""(://)[^\s/?#'"<>]+(?=@)"""),
    # A header that cannot be sent, which is quoted whole: a token or a signature with a line break.
    re.compile(r"""(header value:? )b?['"].*"""),
)
_MOST_WORDS = 400
_PARAMETER = re.compile(rf"""(["']Value["']\s*:\s*){_VALUE}""")
"""the value of a parameter in an answer of Parameter Store, whose name says nothing"""

_known: set[str] = set()


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets, without tokens, and without values that are named like a secret."""
    for secret in sorted((s for s in secrets if len(s) >= _SHORTEST), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    if '"Parameter' in text:
        text = _PARAMETER.sub(rf"\g<1>{HIDDEN}", text)
    return text


def one_line(text: str) -> str:
    """Words of somebody else (AWS, a library), made fit for a message: no secrets, no line breaks, not endless."""
    words = " ".join(redact(text).split())
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}..."


def hide_in_logs(*secrets: str) -> None:
    """Hide these texts too, in whatever this process logs from now on."""
    _known.update(secret for secret in secrets if len(secret) >= _SHORTEST)
    guard_logs()


def guard_logs() -> None:
    """Have every log record of this process redacted when it is made, whoever logs it and wherever it goes.

    botocore logs the bodies of its requests and answers at DEBUG, the login's among them. A filter of a logger or of a
    handler would not see the records of others; all of them are made by one factory. Done once, however often it is
    called; another factory that is set already stays in use.
    """
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def make_redacted(*arguments: Any, **more: Any) -> logging.LogRecord:
        return _redacted(make(*arguments, **more))

    make_redacted.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make_redacted)


def _redacted(record: logging.LogRecord) -> logging.LogRecord:
    try:
        text = record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A call with arguments that do not fit: `logging` would print them as they are, and they may be secrets.
        text, record.args = str(record.msg), None
    clean = redact(text, _known)
    if clean != text or record.args is None:
        record.msg, record.args = clean, None
    if record.exc_info:
        told = logging.Formatter().formatException(record.exc_info)
        clean = redact(told, _known)
        if clean != told:
            # Without the exception itself, so that no handler formats it anew.
            record.exc_text, record.exc_info = clean, None
    return record
