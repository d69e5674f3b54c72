"""Whom an Allow in the policy of a resource (a bucket, an access point) gives something.

Users and roles of the account have it by such a policy alone. Whoever is of another account needs a policy of its own,
too, and has no name here. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-cross-account-resource-access.html
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.policy.conditions import Bearing, Judged, judge
from raito_pipeline.aws.policy.deny_reach import is_account, is_everybody
from raito_pipeline.aws.policy.documents import Principal, Statement
from raito_pipeline.aws.policy.facts import Facts, PrincipalFacts
from raito_pipeline.aws.policy.principals import Directory, Who, named_by
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.first_few import first_few
from raito_pipeline.model import AccessPoint

_MOST_NAMES = 5
_USER_OR_ROLE = re.compile(r"arn:[^:]*:iam::\d{12}:(?P<kind>user|role)/(?:[^*?]*/)?(?P<name>[^/*?]+)")


@dataclass
class GivenTo:
    """The users and roles that an Allow names by their ARNs, and those whom it gives something as everybody."""

    by_arn: Who = field(default_factory=Who)
    as_everybody: Who = field(default_factory=Who)

    @property
    def reasons(self) -> list[Reason]:
        """Who else is named."""
        return [*self.by_arn.reasons, *self.as_everybody.reasons]


@dataclass(frozen=True, slots=True)
class ResourcePolicy:
    """What has to be known of the policy of a resource besides its text."""

    name: str
    """what reasons call it"""
    public_is_blocked: bool = False
    """whether a public access block lets a public policy count for nobody outside of the account"""
    point: AccessPoint | None = None
    """the access point that all calls go through where it is the policy of one"""

    def directory(self, account: Account) -> Directory:
        """The users and roles of the account, as they call here."""
        known = account.directory
        if self.point is None:
            return known
        return replace(known, facts=known.facts.through(self.point.arn, self.point.network_origin))


@dataclass(frozen=True, slots=True)
class LeftOutside:
    """What Denies leave of an Allow to somebody who is not of the account."""

    anything: bool = True
    doubts: tuple[str, ...] = ()
    """what else may be refused, a sentence each"""
    kept_out_by: tuple[str, ...] = ()
    """the documents that leave nothing"""


Outside = Callable[[Facts], LeftOutside]
"""what is left of an Allow to somebody outside, by what is known of the calls"""


def all_is_left(_facts: Facts) -> LeftOutside:
    """Nothing denies anything."""
    return LeftOutside()


def given_to(account: Account, statement: Statement, policy: ResourcePolicy, outside: Outside = all_is_left) -> GivenTo:
    """The users and roles whom an Allow gives something, and a reason for everybody else whom it names.

    `outside` says what Denies leave of it to somebody of another account.
    """
    label = f"{policy.name}, {statement.label}"
    points = _access_points(account, statement) if policy.point is None else None
    directory = policy.directory(account)
    if points is not None:
        return GivenTo(Who(reasons=[points.at(label)]))
    given, others = GivenTo(), []
    for principal in statement.principals or ():
        if is_everybody(principal):
            given.as_everybody = _everybody(account, statement, label, policy, outside)
        elif is_account(principal, account.inputs.account_id):
            text = f"{label}: the account is named: it leaves it to the policies of its users, groups and roles"
            given.by_arn.reasons.append(Reason(Code.NOTE, text))
        else:
            others.append(principal)
    if statement.principals is None:
        given.by_arn |= named_by(statement, directory, label)
    for each in _one_by_one(account, others):
        named = replace(statement, principals=each)
        given.by_arn |= _limited(named_by(named, directory, label), account, each, outside, label)
    return given


def _one_by_one(account: Account, principals: Sequence[Principal]) -> Iterator[tuple[Principal, ...]]:
    """Those of the account together, each of the others alone."""
    here = tuple(each for each in principals if each.value in account.directory.principals)
    yield from (here,) if here else ()
    yield from ((each,) for each in principals if each not in here)


def _limited(who: Who, account: Account, named: Sequence[Principal], outside: Outside, label: str) -> Who:
    """Whom an Allow names, where that is somebody outside less those whom a Deny keeps out."""
    (first, *_) = named
    if first.value in account.directory.principals or not who.reasons:
        return who
    left = outside(replace(account.facts, principal=_of_another_account(first), identity=False))
    if not left.anything:
        return Who(reasons=[_kept_out(f"principal {first.value}", left, label)])
    return replace(who, reasons=[replace(each, text=_and(each.text, left)) for each in who.reasons])


def _of_another_account(named: Principal) -> PrincipalFacts | None:
    """What the ARN of a user or role says of it; None for whoever else is named."""
    match = _USER_OR_ROLE.fullmatch(named.value)
    if match is None:
        return None
    return PrincipalFacts("user" if match["kind"] == "user" else "role", match["name"], named.value)


def _kept_out(whom: str, left: LeftOutside, label: str) -> Reason:
    return Reason(Code.NOTE, f"{label}: {whom} is named, but kept out ({', '.join(left.kept_out_by)})")


def _and(text: str, left: LeftOutside) -> str:
    return "; ".join((text, *left.doubts))


def _everybody(account: Account, statement: Statement, label: str, policy: ResourcePolicy, outside: Outside) -> Who:
    """All users and roles of the account, less those whom a condition keeps out, and a reason for all others."""
    who = Who()
    conditional: dict[Judged, list[str]] = defaultdict(list)
    directory = policy.directory(account)
    for listed, into in ((directory.users, who.users), (directory.roles, who.roles)):
        for arn, name in listed.items():
            judged = judge(statement, directory.facts_of(arn))
            if judged.bearing.holds:
                into.add(name)
            elif judged.bearing is not Bearing.NEVER:
                conditional[judged].append(name)
    for judged, names in conditional.items():
        shown = first_few(sorted(names), _MOST_NAMES)
        text = f"{label}: Condition ({judged.labels}): it lets some calls of {shown} only"
        who.reasons.append(Reason(Code.WHO, text))
    who.reasons += _outsiders(account, statement, label, policy, outside)
    return who


def _outsiders(
    account: Account, statement: Statement, label: str, policy: ResourcePolicy, outside: Outside
) -> Iterator[Reason]:
    facts = policy.directory(account).facts_of("*")
    judged = judge(statement, facts)
    if judged.bearing is Bearing.NEVER:
        return
    if policy.public_is_blocked:
        text = "everybody (*) is named, but a public access block keeps out whoever is not of the account"
        yield Reason(Code.NOTE, f"{label}: {text}")
        return
    left = outside(facts)
    if not left.anything:
        yield _kept_out("everybody (*), also outside of the account,", left, label)
        return
    under = "" if judged.bearing is Bearing.ALWAYS else f", under a condition ({judged.labels})"
    yield Reason(Code.WHO, _and(f"{label}: everybody (*) has it, also outside of the account{under}", left))


def _access_points(account: Account, statement: Statement) -> Reason | None:
    """What an Allow says that is about calls through access points; None where it is about others, too.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html (delegating access control)
    """
    keys = ("s3:dataaccesspointaccount", "s3:dataaccesspointarn")
    about = [condition for condition in statement.conditions if condition.key.lower() in keys]
    if not about or judge(statement, account.facts).bearing not in (Bearing.RARELY, Bearing.NEVER):
        return None
    named = sorted({value for condition in about for value in condition.values})
    owners = {_account_of(value) for value in named}
    if owners == {account.inputs.account_id}:
        return Reason(Code.NOTE, f"it leaves it to access points ({', '.join(named)}) who has access through them")
    targets = [account.inputs.linked[owner] for owner in sorted(owners) if owner in account.inputs.linked]
    linked = f"; target {', '.join(targets)}" if targets else ""
    return Reason(Code.WHO, f"whoever is let in by access points of other accounts ({', '.join(named)}{linked})")


def _account_of(value: str) -> str:
    """The account that an access point is of, by its ARN or by the id itself; empty where it is not known."""
    parts = value.split(":")
    account = parts[4] if len(parts) > 4 else value
    return account if account.isdigit() else ""


def is_public(statement: Statement) -> bool:
    """True for an Allow to everybody without a condition, which is public to AWS."""
    named: tuple[Principal, ...] = statement.principals or ()
    return statement.effect == "Allow" and not statement.conditions and any(map(is_everybody, named))
