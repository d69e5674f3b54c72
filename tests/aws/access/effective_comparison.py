"""Rows of `effective_access`, compared with what AWS's evaluation gives, in both directions.

- *Certain*: each request that the row stands for is allowed in the neutral context, and in every other one that differs
  in who calls from where and when: nothing that nobody knows beforehand decides it.
- *Conditional, never given*: in no context is any request of it allowed.
- *Conditional, conditions met*: in a context in which all that the row names holds (conditions of statements that give
  it, none of Denies that it names, calls through the access point that it names), each request that it stands for is
  allowed, but for those parts that a Deny of a part is about.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from raito_pipeline.model import EffectiveAccess
from tests.aws.access.random_accounts import KEYS
from tests.aws.access.world import (
    NEUTRAL,
    OLD_TLS,
    ON_ACCOUNT,
    ON_BUCKETS,
    ON_OBJECTS,
    OTHER_REGION,
    OTHER_SERVICE,
    PLAIN_HTTP,
    SERVICE,
    WATCHED,
    Probe,
    Situation,
    World,
    probes_of_bucket,
)
from tests.aws.evaluator.documents import Rule

_STATEMENT = re.compile(r"(?P<document>.+?), statement (?P<number>\d+)(?: \([^)]*\))?: (?P<says>.*)")
_THROUGH = re.compile(r"to calls through access point (\S+)")
_UNUSUAL = frozenset((PLAIN_HTTP, OLD_TLS, SERVICE, OTHER_SERVICE, OTHER_REGION))
"""how a call is made, and where to: rows are about ordinary calls to the region of the bucket"""
_NOT_SAID = ("(Principal ", "(Resource ", "which cannot be read")
"""what depends on more than conditions: whom a Deny names, what of a bucket, what its pattern is"""


@dataclass
class EffectiveFaults:
    """What rows say otherwise than AWS, and of how many that was found out."""

    wrong: list[str] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: "EffectiveFaults") -> "EffectiveFaults":
        self.wrong += other.wrong
        self.tried.update(other.tried)
        return self


def compare_effective(world: World, rows: Iterable[EffectiveAccess]) -> EffectiveFaults:
    """All rows of users and roles of an account, in both directions."""
    faults = EffectiveFaults()
    for row in rows:
        probes = list(probes_of(world, row))
        if not probes:
            continue
        way = [f"{row.principal_type}:{row.principal_name}", *(f"role:{role}" for role in row.via_roles)]
        if row.certainty == "certain":
            _certain(world, row, way, probes, faults)
        elif all(world.assumes(who, role.removeprefix("role:")) for who, role in pairwise(way)):
            _conditional(world, row, way[-1], probes, faults)
    return faults


def probes_of(world: World, row: EffectiveAccess) -> Iterator[Probe]:
    """The requests that a row stands for, straight to the bucket."""
    if row.data_object_kind == "account" and row.permission in ON_ACCOUNT:
        yield Probe(row.permission, ON_ACCOUNT[row.permission])
    elif row.permission in WATCHED:
        buckets = [bucket.name for bucket in world.inputs.buckets if bucket.included]
        path = row.data_object.partition("/")[2]
        for bucket in [row.bucket] if row.bucket else buckets:
            if path and row.permission in ON_BUCKETS:
                yield Probe(row.permission, f"arn:aws:s3:::{bucket}", f"{path}/")
            else:
                keys = [key for key in KEYS if not path or key == path or key.startswith(f"{path}/")]
                yield from probes_of_bucket(bucket, (row.permission,), keys or [f"{path}/other"])


def _ways(row: EffectiveAccess, probe: Probe) -> list[Probe]:
    """A request as it may be sent: straight, and through each access point that the row names."""
    points = {each.removeprefix("accesspoint:") for each in row.through if each.startswith("accesspoint:")}
    points.update(point for text in row.conditions for point in _THROUGH.findall(text))
    return [probe, *(replace(probe, point=point) for point in sorted(points))]


def _certain(world: World, row: EffectiveAccess, way: list[str], probes: list[Probe], faults: EffectiveFaults) -> None:
    faults.tried["certain"] += 1
    if not all(world.assumes(who, role.removeprefix("role:")) for who, role in pairwise(way)):
        faults.wrong.append(f"{_named(row)}: nobody gets there for sure")
        return
    for situation in _one_thing_else(world):
        refused = next((one for one in probes if not _given(world, row, way[-1], one, situation)), None)
        if refused is not None:
            faults.wrong.append(
                f"{_named(row)} is certain, and refused in {set(situation) or 'an ordinary call'}: {refused}"
            )
            return


def _one_thing_else(world: World) -> Iterator[Situation]:
    yield NEUTRAL
    yield from (each for each in world.situations if len(each) == 1 and not each & _UNUSUAL)


def _given(world: World, row: EffectiveAccess, who: str, probe: Probe, situation: Situation) -> bool:
    return any(world.allows(who, each, situation) for each in _ways(row, probe))


def _conditional(world: World, row: EffectiveAccess, who: str, probes: list[Probe], faults: EffectiveFaults) -> None:
    others = [replace(one, resource=f"{one.resource.rpartition('/')[0]}/of-another-name") for one in probes]
    probed = [*probes, *(others if row.permission in ON_OBJECTS and row.data_object_kind != "file" else ())]
    if row.permission == "s3:ListBucket":
        probed += [replace(one, prefix=prefix) for one in probes for prefix in ("", "x/", "x/y/")]
    ways = [(probe, each) for probe in probed for each in _ways(row, probe)]
    faults.tried["conditional"] += 1
    if who.startswith("role:") and "Null aws:MultiFactorAuthPresent" in str(row.conditions):
        faults.tried["not said"] += 1  # whether sessions of a role may be without that key is not documented
        return
    if row.permission in ON_ACCOUNT and "that part of what" in str(row.conditions):
        faults.tried["not said"] += 1  # of what is neither a bucket nor an object one request alone is tried
        return
    if "aws:PrincipalOrgID" not in str(row.conditions) and not any(
        world.in_some_situation(who, each) for _, each in ways
    ):
        faults.wrong.append(f"{_named(row)} is given in no context at all")
        return
    rules = _rules(world, row, who)
    if rules is None:
        faults.tried["not said"] += 1
        return
    allows, denies = [rule for rule in rules if not rule.deny], [rule for rule in rules if rule.deny]
    met = 0
    for situation in world.situations:
        if situation & _UNUSUAL and "as they seldom are" not in str(row.conditions):
            continue
        for probe in probes:
            sent = [each for each in _ways(row, probe) if _meets(world, who, each, situation, allows, denies)]
            if sent and all(_names_its_way(row, each) for each in sent):
                met += 1
                if not any(world.allows(who, each, situation, for_sure=False) for each in sent):
                    faults.wrong.append(
                        f"{_named(row)}: its conditions are met in {set(situation)}, and {probe} is refused"
                    )
                    return
    faults.tried["conditions met" if met else "conditions never met"] += 1


def _meets(world: World, who: str, probe: Probe, situation: Situation, allows: list[Rule], denies: list[Rule]) -> bool:
    return all(world.holds(rule, who, probe, situation) for rule in allows) and not any(
        world.is_about(rule, who, probe, situation) for rule in denies
    )


def _names_its_way(row: EffectiveAccess, probe: Probe) -> bool:
    """Whether a request goes the way that the row names: through the access point, where it names one."""
    return (probe.point is not None) == bool(_THROUGH.search(str(row.conditions)))


def _rules(world: World, row: EffectiveAccess, who: str) -> list[Rule] | None:
    """The statements that a row names; None where it depends on more than conditions of these."""
    rules: list[Rule] = []
    for text in row.conditions:
        named = _STATEMENT.match(text)
        if named is None or any(each in text for each in _NOT_SAID):
            return None
        number = int(named["number"]) - 1
        documents = world.documents_called(named["document"], who)
        denies = named["says"].startswith("Deny")
        said = [one.rules[number] for one in documents if number < len(one.rules)]
        rules += [rule for rule in said if rule.deny is denies]
    return rules


def _named(row: EffectiveAccess) -> str:
    way = " through ".join((row.principal_name, *row.via_roles))
    return f"{way}: {row.permission} on {row.data_object}, {row.conditions}"
