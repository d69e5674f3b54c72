"""Who the principals of trust policies and resource policies are: users and roles of the account, or why not.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from raito_pipeline.aws.policy.conditions import Bearing, Judged, judge
from raito_pipeline.aws.policy.deny_reach import DenyReach, is_account, is_everybody, reach
from raito_pipeline.aws.policy.documents import Document, Principal, Statement
from raito_pipeline.aws.policy.facts import UNKNOWN, Facts, PrincipalFacts
from raito_pipeline.aws.policy.one_request import names_action
from raito_pipeline.aws.policy.reasons import Code, Reason

ASSUME_ROLE = "sts:AssumeRole"
_OTHER_WAYS = ("sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
_UNIQUE_ID = re.compile(r"[A-Za-z0-9]{16,32}")
_SESSION = re.compile(r"arn:[^:]*:sts::\d{12}:assumed-role/(?P<role>[^/]+)/[^/]+")
_ARN = re.compile(r"arn:[^:]*:(?P<service>iam|sts)::(?P<account>\d{12}):(?P<rest>.+)")


@dataclass(frozen=True)
class Directory:
    """The users and roles of the account, by ARN."""

    account_id: str
    users: Mapping[str, str]
    roles: Mapping[str, str]
    facts: Facts = UNKNOWN
    """what is known of every call to the account, whoever makes it"""
    principals: Mapping[str, PrincipalFacts] = field(default_factory=dict)
    """what is known of users and roles, by ARN"""
    linked: Mapping[str, str] = field(default_factory=dict)
    """names of other accounts that are known, by account id"""
    bounded: Collection[str] = ()
    """ARNs of those who have a permissions boundary"""

    def facts_of(self, arn: str) -> Facts:
        """What is known of the calls of one user or role; by `*`, of all who are not of the account."""
        here = arn in self.users or arn in self.roles
        return replace(self.facts, principal=self.principals.get(arn), identity=here, strangers=arn == "*")


@dataclass
class Who:
    """Names of users and roles, and everyone who could not be named."""

    users: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    reasons: list[Reason] = field(default_factory=list)

    def __or__(self, other: "Who") -> "Who":
        return Who(self.users | other.users, self.roles | other.roles, [*self.reasons, *other.reasons])


def is_gone(principal: object) -> bool:
    """True for what stands for a user or role that was deleted: AWS shows its unique id (`AIDA...`, `AROA...`) then.

    It gives nobody anything, also not whoever gets its name later.
    """
    return isinstance(principal, str) and _UNIQUE_ID.fullmatch(principal) is not None


def who_of_trust(document: Document, directory: Directory) -> Who:
    """Who the trust policy of a role lets assume it without a condition. What is left out is in the reasons."""
    who = Who(reasons=[Reason(Code.WHO, f"trust policy: {problem}") for problem in document.problems])
    for statement in document.statements:
        if statement.effect == "Allow":
            who |= _trusted(statement, directory)
    for statement in document.statements:
        if statement.effect == "Deny":
            _distrust(statement, directory, who)
    return Who(who.users, who.roles, list(dict.fromkeys(who.reasons)))


def _trusted(statement: Statement, directory: Directory) -> Who:
    label = f"trust policy, {statement.label}"
    if not names_action(statement, ASSUME_ROLE):
        others = [action for action in _OTHER_WAYS if names_action(statement, action)]
        named = ", ".join(f"{p.kind} {p.value}" for p in statement.principals or ())
        return Who(reasons=[Reason(Code.WHO, f"{label}: {named} may use {action}") for action in others])
    if statement.principals is None:
        return named_by(statement, directory, label)
    # Whoever of the account has a right of its own is found by its policies: see `openings`.
    by_name = tuple(each for each in statement.principals if not is_account(each, directory.account_id))
    return named_by(replace(statement, principals=by_name), directory, label)


@dataclass(frozen=True)
class Opening:
    """An Allow of a trust policy that lets in more than whom it names: everybody, or whoever has a right of its own."""

    statement: Statement
    everybody: bool


def openings(document: Document, directory: Directory) -> list[Opening]:
    """The statements by which a trust policy lets in users and roles of the account without naming them."""
    return [
        Opening(statement, everybody)
        for statement in document.statements
        if statement.effect == "Allow" and names_action(statement, ASSUME_ROLE)
        for everybody in (True, False)
        if any(
            is_everybody(each) if everybody else is_account(each, directory.account_id)
            for each in statement.principals or ()
        )
    ]


def named_by(statement: Statement, directory: Directory, label: str) -> Who:
    """The principals that an Allow names for sure; none whom a condition may keep out, none by `NotPrincipal`."""
    if statement.not_principals is not None:
        return Who(reasons=[Reason(Code.WHO, f"{label}: NotPrincipal: who is left has no name")])
    if statement.principals is None:
        return Who(reasons=[Reason(Code.WHO, f"{label}: it has no Principal")])
    who = Who()
    conditional: dict[Judged, list[str]] = defaultdict(list)
    for principal in statement.principals:
        if principal.kind == "AWS" and is_gone(principal.value):
            continue
        judged = judge(statement, directory.facts_of(principal.value))
        name = _name(principal, directory)
        if judged.bearing is Bearing.NEVER:
            continue
        if name is None:
            under = "" if judged.bearing is Bearing.ALWAYS else f", under a condition ({judged.labels})"
            who.reasons.append(Reason(Code.WHO, f"{label}: {_why_not(principal, directory)}{under}"))
        elif judged.bearing.holds:
            (who.users if principal.value in directory.users else who.roles).add(name)
        else:
            conditional[judged].append(name)
    for judged, names in conditional.items():
        some = f"Condition ({judged.labels}): it lets some calls of {', '.join(names)} only"
        who.reasons.append(Reason(Code.WHO, f"{label}: {some}"))
    return who


def _name(principal: Principal, directory: Directory) -> str | None:
    if principal.kind != "AWS":
        return None
    return directory.users.get(principal.value) or directory.roles.get(principal.value)


def _why_not(principal: Principal, directory: Directory) -> str:
    if principal.kind not in ("AWS", "*"):
        return f"principal {principal.kind} {principal.value} is no user, group or role of the account"
    if "*" in principal.value or "?" in principal.value:
        return f"wildcard principal {principal.value}"
    match = _ARN.fullmatch(principal.value)
    account = principal.value if re.fullmatch(r"\d{12}", principal.value) else match["account"] if match else None
    if account is None:
        return f"principal {principal.value} is not known (deleted, or of a kind that cannot be shown)"
    if account != directory.account_id:
        target = directory.linked.get(account)
        return f"principal {principal.value} is of another account{f' (target {target})' if target else ''}"
    session = _SESSION.fullmatch(principal.value)
    if session is not None:
        return f"principal {principal.value} is one session of role {session['role']}, not the role"
    if match is None or match["rest"] == "root":
        return f"principal {principal.value} is whoever of the account has a policy for it"
    return f"principal {principal.value} is not known in the account"


def _distrust(statement: Statement, directory: Directory, who: Who) -> None:
    if not names_action(statement, ASSUME_ROLE):
        return
    uncertain: dict[Judged, None] = {}
    unusual: dict[Judged, list[str]] = defaultdict(list)
    for names, listed in ((who.users, directory.users), (who.roles, directory.roles)):
        for arn, name in listed.items():
            hit = reach(statement, arn, arn.split(":")[4], has_boundary=arn in directory.bounded)
            # Sessions of a role are not told apart here.
            if name not in names or hit is not DenyReach.SURE:
                continue
            judged = judge(statement, directory.facts_of(arn))
            if judged.bearing.holds:
                names.discard(name)
                if judged.bearing is Bearing.USUALLY:
                    unusual[judged].append(name)
            elif judged.bearing.holds is None:
                uncertain[judged] = None
    for judged, kept_out in unusual.items():
        text = f"Deny of calls with {judged.texts}, as they usually are: it leaves other calls of {', '.join(kept_out)}"
        who.reasons.append(Reason(Code.WHO, f"trust policy, {statement.label}: {text}"))
    for judged in uncertain:
        condition = f"Deny under a condition ({judged.labels}): it may keep some of them out"
        who.reasons.append(Reason(Code.WIDER, f"trust policy, {statement.label}: {condition}"))
