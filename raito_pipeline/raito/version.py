"""Whether Raito Cloud still supports this client: semantic version constraints."""

import re
from dataclasses import dataclass

from raito_pipeline.raito.client import RaitoClient

# The version of the Raito CLI whose calls this client makes: the one that they were recorded from.
SPOKEN_VERSION = "0.72.0"
_CONDITION = re.compile(r"(>=|<=|!=|==|=|>|<|~>|~|\^)?\s*v?(\d+)(?:\.(\d+|x|\*))?(?:\.(\d+|x|\*))?(?:[-+][\w.+-]*)?$")
_Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class VersionCheck:
    """What Raito Cloud says of a version. `message` explains a deprecation or a refusal, else it is empty."""

    supported: bool
    deprecated: bool
    message: str


def check_version(client: RaitoClient, version: str = SPOKEN_VERSION) -> VersionCheck:
    """Ask which versions are supported and compare. Raises `RaitoError`.

    A constraint that cannot be read stops nothing: the message says so.
    """
    answer = client.call("SupportedCLIVersion")
    supported = str(answer.get("supportedVersions") or "")
    deprecated = answer.get("deprecatedVersions") or {}
    constraint = str(deprecated.get("deprecatedVersions") or "")
    try:
        if supported and not satisfies(version, supported):
            words = f"Raito Cloud supports CLI versions {supported}, and this client speaks as version {version}"
            return VersionCheck(False, False, words)
        if constraint and satisfies(version, constraint):
            words = f"this client speaks as CLI version {version}, which Raito Cloud supports only for now"
            return VersionCheck(True, True, ": ".join(filter(None, (words, str(deprecated.get("msg") or "")))))
    except ValueError as error:
        return VersionCheck(True, False, f"whether it supports this client is not known: {error}")
    return VersionCheck(True, False, "")


def satisfies(version: str, constraint: str) -> bool:
    """True where a version meets a constraint such as `>= 0.30, < 2 || 3.x`.

    Raises `ValueError` for what is no version or no constraint.
    """
    match = _CONDITION.fullmatch(version.strip())
    if match is None or match[1]:
        raise ValueError(f"{version!r} is no version")
    number = _version(match)
    return any(all(_meets(number, part) for part in _parts(choice)) for choice in constraint.split("||"))


def _parts(choice: str) -> list[str]:
    joined = re.sub(r"(>=|<=|!=|==|=|>|<|~>|~|\^)\s+", r"\1", choice)
    return [part for part in re.split(r"[,\s]+", joined) if part]


def _meets(number: _Version, part: str) -> bool:
    if part in ("*", "x"):
        return True
    match = _CONDITION.fullmatch(part)
    if match is None:
        raise ValueError(f"{part!r} is no version constraint")
    operator, low = match[1] or "=", _version(match)
    open_parts = sum(1 for group in (match[3], match[4]) if group is None or not group.isdigit())
    high = _after(low, open_parts)
    if operator in ("=", "=="):
        return low <= number < high
    if operator == "!=":
        return not low <= number < high
    if operator in ("~", "~>"):
        return low <= number < _after((low[0], low[1], 0), 2 if open_parts == 2 else 1)
    if operator == "^":
        return low <= number < _caret(low)
    return {">=": number >= low, "<": number < low, ">": number >= high, "<=": number < high}[operator]


def _version(match: re.Match[str]) -> _Version:
    major, minor, patch = (int(group) if group and group.isdigit() else 0 for group in match.group(2, 3, 4))
    return major, minor, patch


def _after(low: _Version, open_parts: int) -> _Version:
    """The first version that is not meant any more, where the last `open_parts` parts are left open."""
    if open_parts == 2:
        return low[0] + 1, 0, 0
    return (low[0], low[1] + 1, 0) if open_parts == 1 else (low[0], low[1], low[2] + 1)


def _caret(low: _Version) -> _Version:
    if low[0]:
        return low[0] + 1, 0, 0
    return (0, low[1] + 1, 0) if low[1] else (0, 0, low[2] + 1)
