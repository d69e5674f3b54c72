"""The regions of AWS in all its partitions, as the installed botocore knows them, and what a mistyped one stands for.

The list is botocore's own file `data/partitions.json`, read as it is: botocore's loader would import its whole HTTP
side, which takes longer than the rest of the configuration.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from raito_pipeline.config.spelling import closest

_COMPASS = re.compile(r"(north|south)?(east|west|central)?")


@dataclass(frozen=True)
class _Partition:
    name: str
    form: re.Pattern[str]
    regions: frozenset[str]
    suffixes: tuple[str, ...]


@lru_cache(maxsize=1)
def _partitions() -> tuple[_Partition, ...]:
    data = json.loads((files("botocore") / "data" / "partitions.json").read_text(encoding="utf-8"))
    return tuple(
        _Partition(
            each["id"],
            re.compile(each["regionRegex"], re.ASCII),
            _without_global(each["regions"]),
            (each["outputs"]["dnsSuffix"], each["outputs"]["dualStackDnsSuffix"]),
        )
        for each in data["partitions"]
    )


def _without_global(regions: Mapping[str, object]) -> frozenset[str]:
    """The list has a made-up region for the services that have none, such as `aws-global`."""
    return frozenset(region for region in regions if not region.endswith("-global"))


@lru_cache(maxsize=1)
def known_regions() -> frozenset[str]:
    """Every region of every partition, those that an account has to opt in to included."""
    return frozenset().union(*(partition.regions for partition in _partitions()))


@lru_cache(maxsize=1)
def dns_suffixes() -> frozenset[str]:
    """What the host names of AWS end with, in every partition: `amazonaws.com`, `api.aws`, `amazonaws.eu`, ..."""
    return frozenset(suffix for partition in _partitions() for suffix in partition.suffixes)


@lru_cache(maxsize=4096)
def aws_partition(region: str) -> str:
    """The partition of AWS that a region is of, as ARNs name it; `aws` for what has the form of none."""
    for partition in _partitions():
        if region in partition.regions:
            return partition.name
    fitting = (partition.name for partition in _partitions() if partition.form.match(region))
    return next(fitting, "aws")


@dataclass(frozen=True)
class NoRegion(ValueError):
    """A name that is no region's. `expected` says what it probably stands for, or None where nothing is near."""

    expected: str | None


@lru_cache(maxsize=4096)
def check(region: str) -> None:
    """Raise `NoRegion` where AWS has no `region` and cannot have it.

    A name that the list does not hold can be that of a new region only where it is made like one and no slip of typing
    leads to one that is known.
    """
    if region in known_regions():
        return
    near = closest(region.lower(), known_regions(), 1)
    if near is not None:
        raise NoRegion(f"an AWS region, perhaps `{near}` (one that is newer than botocore needs a newer botocore)")
    if not _could_exist(region):
        near = closest(region.lower(), known_regions(), 3)
        raise NoRegion(f"an AWS region, perhaps `{near}`" if near else None)


def _could_exist(region: str) -> bool:
    direction = region.split("-")[-2] if region.count("-") >= 2 else ""
    formed = any(partition.form.match(region) for partition in _partitions())
    return formed and direction != "" and _COMPASS.fullmatch(direction) is not None


def doubt(region: str) -> str | None:
    """What should be known of a `region` that could exist, but is not in the list; else None."""
    if region in known_regions():
        return None
    return "a region that the installed botocore does not know; it is read as given"
