"""Addresses of services: which of them may be spoken to without TLS."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from raito_pipeline.redaction import redact

EXPOSED = (
    "plain http (or ws) to another machine sends it for anybody to read. Use an https:// (or wss://) address, or allow "
    "it: pipeline: {allow-plain-http: true}"
)
"""why such an address is refused, and what to do"""
PLAIN_HTTP, ALLOWED = "plain-http", "allowed"
"""how an address of the storage on S3 says that `allow-plain-http` is on: `?plain-http=allowed`"""


def is_exposed(url: str) -> bool:
    """True where what is sent to an address can be read on its way: plain `http` or `ws`, to another machine."""
    parts = urlsplit(url)
    return parts.scheme.lower() in ("http", "ws") and not _is_here(parts.hostname or "")


def refusal(url: str, *, allowed: bool) -> str | None:
    """Why nothing may be sent to an address; None where it may. `allowed`: `allow-plain-http` is on."""
    return f"{redact(url)}: {EXPOSED}" if is_exposed(url) and not allowed else None


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
