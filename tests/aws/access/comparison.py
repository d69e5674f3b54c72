"""What access providers claim of an account, compared with what AWS's evaluation gives.

A *probe* is a principal, an action and a resource. In the *neutral context* the request is made over TLS 1.3 from an
address of the internet, by an access key or role session without MFA and outside a VPC.

- *Over-claim*: an access provider has a permission on a data object and a principal in its who, and
  - it has no reason `wider`, but some request for it is refused in the neutral context; or
  - it has one, but no request that the claim stands for is allowed to anybody of the who in any context.
- *Silent miss*: a request is allowed in the neutral context, no access provider that the principal is in claims it, and
  no access provider that the request is allowed by has a reason `narrower` or `who`.
- *Cry wolf*: an access provider has a reason, but no context and no probe bears it out. Counted, not a failure: a
  reason may be about a context or resource that is not probed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from raito_pipeline.aws.access import AccessInputs, build_access_providers
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import (
    AccessProvider,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    S3Bucket,
)
from tests.aws.access.random_accounts import (
    ACCOUNT,
    BUCKETS,
    GROUPS,
    KEYS,
    LEFT_OUT,
    REGION,
    VPC_ENDPOINT,
    WHEN,
    RandomAccount,
    arn,
    smaller,
)
from tests.aws.evaluator import Caller, Limits, Owner, Policy, Request, Verdict, can_assume, decide, parse
from tests.aws.evaluator.patterns import Context

ON_OBJECTS = ("s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:DeleteObject")
ON_BUCKETS = ("s3:ListBucket", "s3:GetBucketLocation", "s3:PutBucketAcl", "s3:GetBucketTagging")
ON_ACCOUNT = {
    "s3:ListAllMyBuckets": "arn:aws:s3:::*",
    "s3:CreateJob": f"arn:aws:s3:{REGION}:{ACCOUNT}:job/*",
    "s3:DeleteAccessPoint": f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/q",
}
MFA, CORPORATE, ENDPOINT, PLAIN_HTTP, RARE = "mfa", "corporate address", "VPC endpoint", "no TLS", "rare"
"""`RARE` is a request of an old time, through a service, with tags of its own and of its principal"""
NEUTRAL: frozenset[str] = frozenset()
SITUATIONS = [
    frozenset(name for name, on in zip((MFA, CORPORATE, ENDPOINT, PLAIN_HTTP, RARE), each, strict=True) if on)
    for each in product((False, True), repeat=5)
]


@dataclass(frozen=True)
class Probe:
    """A request of somebody."""

    action: str
    resource: str
    prefix: str | None = None
    """the prefix that a listing asks for"""


def probes_of_all() -> Iterator[Probe]:
    """Every request that is tried on the buckets of an account."""
    yield from (Probe(action, resource) for action, resource in ON_ACCOUNT.items())
    for bucket in BUCKETS:
        yield from probes_of_bucket(bucket, (*ON_BUCKETS, *ON_OBJECTS))


def probes_of_bucket(bucket: str, actions: Iterable[str], path: str = "") -> Iterator[Probe]:
    """The requests that a permission on a bucket, or on a folder or file of it, stands for."""
    for action in actions:
        if action in ON_OBJECTS:
            yield from (Probe(action, f"arn:aws:s3:::{bucket}/{key}") for key in _keys(path))
        elif action in ON_BUCKETS:
            yield Probe(action, f"arn:aws:s3:::{bucket}", f"{path}/" if path else None)


def _keys(path: str) -> list[str]:
    below = [key for key in KEYS if not path or key == path or key.startswith(f"{path}/")]
    return below or [f"{path}/other"]


def covered(row: AccessProvider) -> Iterator[tuple[str, Probe]]:
    """The requests that a row claims, of the permissions that are tried, with a name for the claim."""
    for item in row.what:
        name = item.data_object.full_name
        claimed = [permission for permission in item.permissions if permission in _WATCHED]
        if name == ACCOUNT:
            yield from ((name, Probe(action, ON_ACCOUNT[action])) for action in claimed if action in ON_ACCOUNT)
            for bucket in BUCKETS:
                yield from ((name, probe) for probe in probes_of_bucket(bucket, claimed))
        else:
            bucket, _, path = name.split(":", 2)[2].partition("/")
            yield from ((name, probe) for probe in probes_of_bucket(bucket, claimed, path))


_WATCHED = frozenset((*ON_OBJECTS, *ON_BUCKETS, *ON_ACCOUNT))


# -- the account as AWS has it -----------------------------------------------------------------------------------------


@dataclass
class World:
    """An account with AWS's answers to requests."""

    account: RandomAccount
    decided: dict[tuple[str, Probe, frozenset[str]], bool] = field(default_factory=dict)

    def allows(self, who: str, probe: Probe, situation: frozenset[str] = NEUTRAL) -> bool:
        """AWS's answer. `who` is `user:NAME`, `role:NAME`, or `group:NAME` for a member with no other policy."""
        key = who, probe, situation
        if key not in self.decided:
            self.decided[key] = self._decide(who, probe, situation)
        return self.decided[key]

    def in_some_situation(self, who: str, probe: Probe) -> bool:
        """Whether some context allows it."""
        return any(self.allows(who, probe, situation) for situation in SITUATIONS)

    def _decide(self, who: str, probe: Probe, situation: frozenset[str]) -> bool:
        context = self.context(who, situation)
        if probe.prefix is not None:
            context = {**context, "s3:prefix": (probe.prefix,), "s3:delimiter": ("/",)}
        bucket = probe.resource.removeprefix("arn:aws:s3:::").partition("/")[0]
        owner = self._owners.get(bucket, self._owners[""])
        request = Request(probe.action, probe.resource, context)
        return decide(self.caller(who), self.limits[who], owner, request) is Verdict.ALLOWED

    def is_given_by(self, external_id: str, who: str, probe: Probe) -> bool:
        """Whether an Allow of the documents of an access provider is what gives a request to somebody."""
        kind, _, rest = external_id.partition(":")
        name = rest.partition("|")[0]
        _, _, user = who.partition(":")
        whose = [who, *(f"group:{group}" for group in self.account.groups_of.get(user, []) if who == f"user:{user}")]
        if kind == "bucketpolicy":
            documents = {f"bucket {name}": self.account.bucket_policies.get(name, [])}
        elif kind == "policy":
            documents = {name: self.account.managed[name]} if set(self.account.attached[name]) & set(whose) else {}
        else:
            own = f"{kind}:{name}"
            inline = self.account.inline.items()
            documents = {key: text for key, text in inline if key.startswith(f"{own}|") and own in whose}
        context = self.context(who, NEUTRAL)
        return any(
            not rule.deny and rule.is_about(probe.action, probe.resource, context)
            for key, text in documents.items()
            for rule in self._policy(key, text).rules
        )

    def assumes(self, who: str, role: str, situation: frozenset[str] = NEUTRAL) -> bool:
        """Whether a user or role may assume a role."""
        trust = self._policy(f"trust {role}", self.account.trusts[role])
        context = self.context(who, situation)
        return (
            can_assume(self.caller(who), self.limits[who], arn("role", role), trust, ACCOUNT, context)
            is Verdict.ALLOWED
        )

    def caller(self, who: str) -> Caller:
        """Who asks."""
        kind, _, name = who.partition(":")
        if kind == "role":
            session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/somebody"
            return Caller(ACCOUNT, arn("role", name), f"AROA{name}", session)
        return Caller(ACCOUNT, arn("user", name if kind == "user" else f"member-of-{name}"), f"AIDA{name}")

    def context(self, who: str, situation: frozenset[str]) -> Context:
        """The condition keys of a request of somebody in a situation."""
        caller = self.caller(who)
        kind, _, name = who.partition(":")
        context = {
            "aws:securetransport": ("false" if PLAIN_HTTP in situation else "true",),
            "aws:principalarn": (caller.arn,),
            "aws:principalaccount": (ACCOUNT,),
            "aws:principaltype": ("AssumedRole" if caller.is_role else "User",),
            "aws:userid": (f"{caller.unique_id}:somebody" if caller.is_role else caller.unique_id,),
            "aws:resourceaccount": (ACCOUNT,),
            "s3:resourceaccount": (ACCOUNT,),
            "aws:requestedregion": (REGION,),
            "aws:currenttime": ("2024-06-01T00:00:00Z",),
            "aws:viaawsservice": ("false",),
            "s3:tlsversion": ("1.3",),
        }
        if PLAIN_HTTP in situation:
            del context["s3:tlsversion"]
        if kind != "role":
            context["aws:username"] = (name if kind == "user" else f"member-of-{name}",)
        if ENDPOINT in situation:
            context["aws:sourcevpce"], context["aws:sourcevpc"] = (VPC_ENDPOINT,), ("vpc-1",)
        else:
            context["aws:sourceip"] = ("192.0.2.1" if CORPORATE in situation else "203.0.113.7",)
        if RARE in situation:
            context |= {
                "aws:currenttime": ("2019-06-01T00:00:00Z",),
                "aws:tagkeys": ("b",),
                "aws:calledvia": ("athena.amazonaws.com",),
                "aws:viaawsservice": ("true",),
                "aws:principaltag/team": ("x",),
                "s3:tlsversion": ("1.1",),
            }
        if MFA in situation or caller.is_role:
            context["aws:multifactorauthpresent"] = ("true" if MFA in situation else "false",)
        return context

    @cached_property
    def limits(self) -> Mapping[str, Limits]:
        """What the account says of each principal, and of a member of each group."""
        found = {}
        for who in (*self.account.principals, *(f"group:{name}" for name in GROUPS)):
            kind, _, name = who.partition(":")
            whose = [who, *(f"group:{group}" for group in self.account.groups_of.get(name, []) if kind == "user")]
            edge = self.account.boundaries.get(who)
            found[who] = Limits(
                tuple(policy for one in whose for policy in self._own(one)),
                None if edge is None else self._policy(edge, self.account.managed[edge]),
                service_control=tuple((self._policy("scp", level),) for level in self.account.service_control),
            )
        return found

    def _own(self, who: str) -> list[Policy]:
        inline = [self._policy(key, text) for key, text in self.account.inline.items() if key.startswith(f"{who}|")]
        return inline + [
            self._policy(name, self.account.managed[name])
            for name, whom in self.account.attached.items()
            if who in whom
        ]

    @cached_property
    def _owners(self) -> Mapping[str, Owner]:
        rcps = self.account.resource_control
        levels = ((tuple(self._policy("rcp", one) for one in rcps)),) if rcps else ()
        owners = {
            bucket: Owner(ACCOUNT, self._policy(f"bucket {bucket}", statements), levels)
            for bucket, statements in self.account.bucket_policies.items()
        }
        return {
            "": Owner(ACCOUNT, None, levels),
            **{bucket: Owner(ACCOUNT, None, levels) for bucket in BUCKETS},
            **owners,
        }

    def _policy(self, name: str, statements: list[dict[str, object]]) -> Policy:
        return parse(self.account.text(name, statements))


# -- the account as the product has it ---------------------------------------------------------------------------------


def inputs_of(account: RandomAccount) -> AccessInputs:
    """The stored tables of an account."""

    def edge(who: str) -> str | None:
        name = account.boundaries.get(who)
        return None if name is None else _policy_arn(name)

    attachments = [
        IamAttachment(*key.partition("|")[0].split(":"), "inline", key.partition("|")[2], None, account.text(key, text))
        for key, text in account.inline.items()
    ]
    attachments += [
        IamAttachment(*who.split(":"), "managed", name, _policy_arn(name), None)
        for name, whom in account.attached.items()
        for who in whom
    ]
    return AccessInputs(
        account_id=ACCOUNT,
        users=[
            IamUser(f"AIDA{name}", name, arn("user", name), "/", WHEN, tuple(groups), edge(f"user:{name}"), ())
            for name, groups in account.groups_of.items()
        ],
        groups=[IamGroup(f"AGPA{name}", name, arn("group", name), "/", WHEN) for name in GROUPS],
        roles=[
            IamRole(
                f"AROA{name}", name, arn("role", name), "/", WHEN, account.text("", trust), edge(f"role:{name}"), ()
            )
            for name, trust in account.trusts.items()
        ],
        policies=[
            IamPolicy(f"ANPA{name}", name, _policy_arn(name), "/", False, "v1", 1, account.text(name, statements), ())
            for name, statements in account.managed.items()
        ],
        attachments=attachments,
        buckets=[
            *(S3Bucket(name, REGION, WHEN, True, ()) for name in BUCKETS),
            *(S3Bucket(name, REGION, WHEN, False, ()) for name in LEFT_OUT),
        ],
        access_points=(),
    )


def _policy_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def rows_of(account: RandomAccount) -> tuple[AccessProvider, ...]:
    """The access providers of an account."""
    return build_access_providers(inputs_of(account), AccessOptions(), ACCESS_PROVIDER_TYPES.imported)


def has(row: AccessProvider, *codes: str) -> bool:
    """True where a row has a reason of one of the codes."""
    return any(getattr(row, f"reasons_{code}") for code in codes)


# -- both --------------------------------------------------------------------------------------------------------------


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
    """rows whose reason of a code nothing bears out"""

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


def compare(account: RandomAccount, *, wolves: bool = False) -> Findings:
    """An account, both ways. `wolves` also judges every reason, which takes thirty times as long."""
    world, rows = World(account), rows_of(account)
    findings = Findings(accounts=1)
    claims: dict[str, set[Probe]] = {who: set() for who in account.principals}
    for row in rows:
        _over_claims(world, row, claims, findings)
    for who in account.principals:
        _misses(world, who, claims[who], rows, findings)
    for row in rows:
        if row.type == "aws_role":
            _trust(world, row, findings)
    for row in rows:
        findings.rows["all"] += 1
        for code in ("wider", "narrower", "who", "elsewhere"):
            if has(row, code):
                findings.rows[code] += 1
                if wolves and not _is_borne_out(world, row, code, claims):
                    findings.wolves[code] += 1
    return findings


def those_in(row: AccessProvider, account: RandomAccount) -> list[str]:
    """The principals that a row gives something to: users, members of groups, roles, and a group itself."""
    found = [f"user:{name}" for name in row.who_users or ()] if row.type != "aws_role" else []
    for group in row.who_groups or ():
        found += [f"group:{group}", *(f"user:{name}" for name in account.members(group))]
    found += list(row.who_access_providers or ())
    if row.type == "aws_role":
        found.append(row.external_id)
    return list(dict.fromkeys(found))


def _over_claims(world: World, row: AccessProvider, claims: dict[str, set[Probe]], findings: Findings) -> None:
    whom = those_in(row, world.account)
    wider = has(row, "wider")
    for claim, probes in _by_claim(row).items():
        for who, probe in product(whom, probes):
            if who in claims:
                claims[who].add(probe)
            findings.claimed += 1
            if not wider and not world.allows(who, probe):
                findings.over.append(f"{row.external_id} claims {claim} {probe} for {who}")
        asked = list(product(whom, probes))
        if wider and asked and not any(world.in_some_situation(*each) for each in asked):
            findings.over.append(f"{row.external_id} claims {claim}, which is allowed to nobody in any context")


def _by_claim(row: AccessProvider) -> dict[tuple[str, str], list[Probe]]:
    found: dict[tuple[str, str], list[Probe]] = defaultdict(list)
    for name, probe in covered(row):
        found[name, probe.action].append(probe)
    return found


def _misses(world: World, who: str, claimed: set[Probe], rows: tuple[AccessProvider, ...], findings: Findings) -> None:
    with_reason = [row.external_id for row in rows if has(row, "narrower", "who")]
    for probe in _ALL_PROBES:
        findings.probes += 1
        if probe in claimed or not world.allows(who, probe):
            continue
        if not any(world.is_given_by(external_id, who, probe) for external_id in with_reason):
            findings.silent.append(f"{who} may {probe}, which nothing claims")


_ALL_PROBES = tuple(probes_of_all())


def _trust(world: World, row: AccessProvider, findings: Findings) -> None:
    """Who may assume a role, both ways."""
    role = row.external_id.removeprefix("role:")
    for who in world.account.principals:
        if not who.startswith("user:"):
            continue
        findings.probes += 1
        in_it = who.removeprefix("user:") in (row.who_users or ())
        may = world.assumes(who, role)
        if in_it and not may and not has(row, "wider"):
            findings.over.append(f"{row.external_id} names {who}, who may not assume it")
        if may and not in_it and not has(row, "who", "narrower"):
            findings.silent.append(f"{who} may assume {row.external_id}, which does not name it")


def _is_borne_out(world: World, row: AccessProvider, code: str, claims: dict[str, set[Probe]]) -> bool:
    """Whether some probe shows what a reason says."""
    whom = those_in(row, world.account)
    if code == "wider":
        requests = [(who, probe) for _, probe in covered(row) for who in whom]
        if row.type == "aws_role" and _trust_differs(world, row, missing=False):
            return True
        return any(not world.allows(who, probe, each) for each in SITUATIONS for who, probe in requests)
    if code == "narrower":
        told = [who for who in (*whom, *_attached(world.account, row)) if who in claims]
        return any(
            probe not in claims[who] and world.allows(who, probe, each)
            for each in SITUATIONS
            for who in told
            for probe in _ALL_PROBES
        )
    # Reasons `who` are about people outside of the account or not named; `elsewhere` is about no S3.
    return True


def _attached(account: RandomAccount, row: AccessProvider) -> list[str]:
    return account.attached.get(row.external_id.removeprefix("policy:"), [])


def _trust_differs(world: World, row: AccessProvider, *, missing: bool) -> bool:
    role, named = row.external_id.removeprefix("role:"), set(row.who_users or ())
    users = [who for who in world.account.principals if who.startswith("user:")]
    return any(
        world.assumes(who, role, each) is missing and (who.removeprefix("user:") in named) is not missing
        for each in SITUATIONS
        for who in users
    )


def smallest(account: RandomAccount, kind: str) -> RandomAccount:
    """The account without everything that a fault of a kind (`over` or `silent`) does not need."""
    shrinking = True
    while shrinking:
        shrinking = False
        for less in smaller(account):
            if getattr(compare(less), kind):
                account, shrinking = less, True
                break
    return account
