"""Keeps secrets out of texts and log lines."""

import logging
import re
from collections.abc import Iterable

HIDDEN = "***"
_SHORTEST = 4
_PATTERNS = (
    # JSON Web Tokens, wherever they stand.
    re.compile(r"()eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
    re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?)(?:(?:token|bearer)\s+)?[^\s'\",}]+"),
    re.compile(r"(?i)(\b[\w-]*(?:secret|passw)[\w-]*['\"]?\s*[:=]\s*['\"]?)[^\s'\",}&]+"),
    re.compile(r"(?i)(\b(?:[\w-]*(?:session|security)[-_]?token|x-amz-signature)['\"]?\s*[:=]\s*['\"]?)[^\s'\",}&]+"),
    # What makes an address of the file store good for whoever has it.
    re.compile(r"(?i)([?&](?:X-Amz-Signature|X-Amz-Security-Token|Signature|sig)=)[^&\s'\"]+"),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets, without tokens, and without values of parameters named like a secret."""
    for secret in sorted((s for s in secrets if len(s) >= _SHORTEST), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text


class RedactingFilter(logging.Filter):
    """A logging filter that redacts every record that passes it; `secrets` may be added to at any time."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = set(secrets)

    def add(self, secret: str) -> None:
        """Hide this text too, from now on."""
        self._secrets.add(secret)

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place; it always passes."""
        text = record.getMessage()
        clean = redact(text, self._secrets)
        if clean != text:
            record.msg, record.args = clean, None
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info), self._secrets)
        elif record.exc_text:
            record.exc_text = redact(record.exc_text, self._secrets)
        return True
