"""What access providers claim of an account, compared with what AWS's evaluation gives.

A *probe* is a principal, an action and a resource. In the *neutral context* the request is made over TLS 1.3 from an
address of the internet, by an access key or role session without MFA and outside a VPC.

- *Over-claim*: an access provider has a permission on a data object and a principal in its who, and
  - it has no reason `wider`, but some request that the claim stands for is refused in the neutral context (and, where a
    note says that a service makes the calls, also where one does; where a note names an access point, also through
    that); or
  - it has one, but no request that the claim stands for is allowed to anybody of the who in any context.
- *Silent miss*: a request is allowed in the neutral context, no access provider that the principal is in claims it, and
  no access provider whose documents have an Allow about the request has a reason `narrower` or `who`.
- *Cry wolf*: an access provider has a reason, but no probe in any context bears it out. Counted, not a failure: a
  reason may be about a context or a resource that is not tried.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from raito_pipeline.aws.access import AccessInputs, build_access_providers
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider
from tests.aws.access.world import (
    ON_ACCOUNT,
    ON_BUCKETS,
    ON_OBJECTS,
    SERVICE,
    THROUGH_POINTS,
    WATCHED,
    Probe,
    World,
    probes_of_bucket,
)

CODES = ("wider", "narrower", "who", "elsewhere")


@dataclass
class Findings:
    """What a comparison found, and of how much."""

    accounts: int = 0
    probes: int = 0
    claimed: int = 0
    over: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    """rows, and rows with a reason by code"""
    wolves: Counter[str] = field(default_factory=Counter)
    """rows whose reason of a code nothing bears out, of those that were judged (`judged wider`, ...)"""

    def __iadd__(self, other: "Findings") -> "Findings":
        self.accounts += other.accounts
        self.probes += other.probes
        self.claimed += other.claimed
        self.over += other.over
        self.silent += other.silent
        self.rows += other.rows
        self.wolves += other.wolves
        return self

    def __str__(self) -> str:
        return (
            f"{self.accounts} accounts, {self.probes:,} probes, {self.claimed:,} claimed requests: "
            f"{len(self.over)} over-claims, {len(self.silent)} silent misses; rows {dict(self.rows)}, "
            f"reasons that nothing bears out {dict(self.wolves)}"
        )


def _points_noted(row: AccessProvider) -> Iterator[str]:
    """The ARNs of the access points through which a row says that it gives something."""
    for note in row.notes:
        if "calls through access point" in note:
            yield note.partition("calls through access point ")[2].split()[0]


def has(row: AccessProvider, *codes: str) -> bool:
    """True where a row has a reason of one of the codes."""
    return any(getattr(row, f"reasons_{code}") for code in codes)


def rows_of(inputs: AccessInputs, options: AccessOptions | None = None) -> tuple[AccessProvider, ...]:
    """The access providers of an account."""
    return build_access_providers(inputs, options or AccessOptions(), ACCESS_PROVIDER_TYPES.imported)


def compare(inputs: AccessInputs, keys: Sequence[str], *, wolves: bool = False) -> Findings:
    """An account, both ways, with some keys in each bucket. `wolves` also judges every reason, which takes longer."""
    return _Comparison(World(inputs), rows_of(inputs), list(keys)).run(wolves=wolves)


@dataclass
class _Comparison:
    world: World
    rows: tuple[AccessProvider, ...]
    keys: list[str]
    findings: Findings = field(default_factory=Findings)
    claimed: dict[str, set[Probe]] = field(default_factory=lambda: defaultdict(set))
    """by principal"""

    def __post_init__(self) -> None:
        self.buckets = [bucket.name for bucket in self.world.inputs.buckets if bucket.included]
        self.probes = [Probe(action, resource) for action, resource in ON_ACCOUNT.items()]
        for bucket in self.buckets:
            self.probes += probes_of_bucket(bucket, (*ON_BUCKETS, *ON_OBJECTS), self.keys)
        for point in self.world.inputs.access_points:
            through = probes_of_bucket(point.bucket, THROUGH_POINTS, self.keys)
            self.probes += (replace(probe, point=point.arn) for probe in through)

    def run(self, *, wolves: bool) -> Findings:
        self.findings.accounts = 1
        for row in self.rows:
            self._over_claims(row)
        for who in self.world.principals:
            self._misses(who)
        for row in self.rows:
            if row.type == "aws_role":
                self._trust(row)
            self.findings.rows["all"] += 1
            for code in CODES:
                if has(row, code):
                    self._count(row, code, wolves=wolves)
        return self.findings

    def _count(self, row: AccessProvider, code: str, *, wolves: bool) -> None:
        self.findings.rows[code] += 1
        # Reasons `who` are about people outside of the account or not named; `elsewhere` is about no S3.
        if wolves and code in ("wider", "narrower"):
            self.findings.wolves[f"judged {code}"] += 1
            borne_out = self._is_less(row) if code == "wider" else self._is_more(row)
            self.findings.wolves[code] += not borne_out

    # -- what is claimed -----------------------------------------------------------------------------------------------

    def those_in(self, row: AccessProvider) -> list[str]:
        """The principals that a row gives something to: users, groups and their members, roles."""
        if row.type == "aws_role":
            return [row.external_id]
        found = [f"user:{name}" for name in row.who_users or ()]
        for group in row.who_groups or ():
            found += [f"group:{group}", *self.world.members(group)]
        found += row.who_access_providers or ()
        return list(dict.fromkeys(found))

    def claims(self, row: AccessProvider) -> dict[tuple[str, str], list[Probe]]:
        """The requests that a row claims, of the permissions that are tried, by data object and permission."""
        found: dict[tuple[str, str], list[Probe]] = defaultdict(list)
        for item in row.what:
            name = item.data_object.full_name
            for action in item.permissions:
                if action in WATCHED:
                    found[name, action] += self._requests(name, action)
        if row.type == "aws_access_point":
            arn = row.external_id.removeprefix("accesspoint:")
            return {key: [replace(probe, point=arn) for probe in probes] for key, probes in found.items()}
        return found

    def _requests(self, full_name: str, action: str) -> list[Probe]:
        if full_name == self.world.inputs.account_id:
            if action in ON_ACCOUNT:
                return [Probe(action, ON_ACCOUNT[action])]
            return [probe for bucket in self.buckets for probe in probes_of_bucket(bucket, (action,), self.keys)]
        bucket, _, path = full_name.split(":", 2)[2].partition("/")
        if path and action in ON_BUCKETS:
            return [Probe(action, f"arn:aws:s3:::{bucket}", f"{path}/")]
        keys = [key for key in self.keys if not path or key == path or key.startswith(f"{path}/")]
        return list(probes_of_bucket(bucket, (action,), keys or [f"{path}/other"]))

    def _over_claims(self, row: AccessProvider) -> None:
        whom, wider = self.those_in(row), has(row, "wider")
        through_services = any("a service of AWS makes" in note for note in row.notes)
        points = list(_points_noted(row))
        for (target, action), probes in self.claims(row).items():
            asked = list(product(whom, probes))
            self.findings.claimed += len(asked)
            for who, probe in asked:
                allows = self.world.allows(who, probe)
                through = [] if allows else [replace(probe, point=point) for point in points]
                given = [each for each in through if self.world.allows(who, each)]
                self.claimed[who].update(given or [probe])
                allows = allows or bool(given)
                if not allows and through_services:
                    allows = self.world.allows(who, probe, frozenset({SERVICE}))
                if not wider and not allows:
                    self.findings.over.append(f"{row.external_id} claims {action} on {target} for {who}: no {probe}")
            # A group without members is in no context at all.
            nobody = all(who.startswith("group:") for who in whom)
            if not wider or nobody or action in ON_ACCOUNT:
                continue
            tried = [*asked, *self._of_another_key(whom, probes)]
            tried += [(who, replace(probe, point=point)) for who, probe in tried for point in points]
            if not any(self.world.in_some_situation(*each) for each in tried):
                self.findings.over.append(f"{row.external_id} claims {action} on {target}: never allowed to anybody")

    def _of_another_key(self, whom: list[str], probes: list[Probe]) -> Iterator[tuple[str, Probe]]:
        """The same for a key of a name that no policy names."""
        for probe in probes:
            if probe.action in ON_OBJECTS:
                folder = probe.resource.rpartition("/")[0]
                yield from ((who, replace(probe, resource=f"{folder}/of-another-name")) for who in whom)

    def _misses(self, who: str) -> None:
        with_reason = [row.external_id for row in self.rows if has(row, "narrower", "who")]
        self.findings.probes += len(self.probes)
        for probe in self.probes:
            # Whoever has it directly is shown to have it.
            if probe in self.claimed[who] or (probe.point and replace(probe, point=None) in self.claimed[who]):
                continue
            if not self.world.allows(who, probe):
                continue
            if not any(self.world.is_given_by(external_id, who, probe) for external_id in with_reason):
                self.findings.silent.append(f"{who} may {probe}, which nothing claims")

    def _trust(self, row: AccessProvider) -> None:
        """Who may assume a role, both ways."""
        role = row.external_id.removeprefix("role:")
        for who in self._users():
            self.findings.probes += 1
            in_it = who.removeprefix("user:") in (row.who_users or ())
            may = self.world.assumes(who, role)
            if in_it and not may and not has(row, "wider"):
                self.findings.over.append(f"{row.external_id} names {who}, who may not assume it")
            if may and not in_it and not has(row, "who", "narrower"):
                self.findings.silent.append(f"{who} may assume {row.external_id}, which does not name it")

    def _users(self) -> list[str]:
        return [who for who in self.world.principals if who.startswith("user:")]

    # -- what the reasons say ------------------------------------------------------------------------------------------

    def _is_less(self, row: AccessProvider) -> bool:
        """Whether something that a row claims is refused to somebody in some context."""
        requests = [
            (who, probe) for probes in self.claims(row).values() for who in self.those_in(row) for probe in probes
        ]
        if any(not self.world.allows(who, probe, each) for each in self.world.situations for who, probe in requests):
            return True
        role, users = row.external_id.removeprefix("role:"), row.who_users or ()
        return row.type == "aws_role" and any(
            not self.world.assumes(f"user:{user}", role, each) for each in self.world.situations for user in users
        )

    def _is_more(self, row: AccessProvider) -> bool:
        """Whether somebody has something in some context by the documents of a row that nothing claims."""
        whom = [who for who in self.world.principals if self.world.documents(row.external_id, who)]
        return any(
            self.world.is_given_by(row.external_id, who, probe, each) and self.world.allows(who, probe, each)
            for who in whom
            for probe in self.probes
            if probe not in self.claimed[who]
            for each in self.world.situations
        )
