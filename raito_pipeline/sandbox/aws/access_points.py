"""Reaching a bucket through an access point: by its alias as a bucket's name, or by its own host, as SDKs do for ARNs.

`NAME-ACCOUNT.s3-accesspoint.REGION.amazonaws.com` is the host; with an `endpoint_url` SDKs put `NAME-ACCOUNT.` in front
of that. An address by number can have nothing in front, hence `keep_access_point_host` for boto3 clients.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from moto.s3control.models import AccessPoint, s3control_backends

SIGNED_PATH, SIGNED_HOST = "sandbox.signed_path", "sandbox.signed_host"
"""Where a request keeps what was signed, once it is read as a request for a bucket of the alias's name."""
_HOST = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)-(?P<account>\d{12})\.(?:s3-accesspoint\.(?P<region>[a-z0-9-]+)\.)?.+")
_ALIAS_END = "-s3alias"


def find_access_point(account_id: str, name: str, region: str) -> AccessPoint | None:
    """The access point of this name in the account and region."""
    points: dict[str, AccessPoint] = s3control_backends[account_id]["aws"].access_points[account_id]
    return points.get(f"{region}/{name}")


def access_point_of_alias(alias: str) -> AccessPoint | None:
    """The access point that this bucket name is the alias of."""
    if not alias.endswith(_ALIAS_END):
        return None
    return next((point for point in _all() if point.alias == alias), None)


def _all() -> Iterator[AccessPoint]:
    for account_id, account in list(s3control_backends.items()):
        yield from list(account["aws"].access_points[account_id].values())


def read_access_point_host(environ: dict[str, Any], region: str) -> None:
    """Turn a request to an access point's host into one to a bucket called as its alias; leaves all others alone."""
    host = str(environ.get("HTTP_HOST", ""))
    match = _HOST.fullmatch(host)
    if match is None:
        return
    point = find_access_point(match["account"], match["name"], match["region"] or region)
    alias = point.alias if point is not None else f"{match['name']}-no-such{_ALIAS_END}"
    environ[SIGNED_PATH] = str(environ.get("RAW_URI", environ["PATH_INFO"]))
    environ[SIGNED_HOST] = host
    for name in ("PATH_INFO", "RAW_URI", "REQUEST_URI"):
        environ[name] = f"/{alias}{environ.get(name) or '/'}"
    environ["HTTP_HOST"] = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"


def keep_access_point_host(params: dict[str, Any], **_: Any) -> None:
    """Hook (`before-call.s3`) of boto3 clients whose `endpoint_url` is an address by number.

    The access point's name stays in the header `Host`, and goes from the address to connect to.
    """
    parts = urlsplit(params["url"])
    match = _HOST.fullmatch(parts.netloc)
    if match is not None:
        params["headers"]["Host"] = parts.netloc
        connected = parts.netloc.removeprefix(f"{match['name']}-{match['account']}.")
        params["url"] = urlunsplit(parts._replace(netloc=connected))
