"""What is known of a call before it is made: values of condition keys, which are the values of policy variables too.

The account and its principal decide some keys in every call. Others say how a call is made, not by whom or on what;
for them the values of an ordinary call are known: over TLS, signed in its headers, by the principal itself, straight to
the bucket. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

_VARIABLE = re.compile(r"\$\{([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_SPECIAL = re.compile(r"[*?$]")
_TAG = "aws:principaltag/"
BUCKET_TAGS = ("aws:resourcetag/", "s3:buckettag/")
"""how the keys begin that are tags of a bucket, where it lets its tags decide"""
OF_LISTINGS = ("s3:prefix", "s3:delimiter", "s3:max-keys")
"""keys that calls have which list the keys of a bucket, and no others:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""
_NETWORK_ORIGIN = "s3:accesspointnetworkorigin"
_OF_SEVERAL_VALUES = ("aws:principalorgpaths", "aws:resourceorgpaths", "aws:calledvia")
"""those keys that are no policy variables, as calls may have several values of each:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html"""
_USER_IDS = "AIDA"
"""how the ids of users begin: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a key; `open` where it is only known how it begins, `unlike` where only how it does not begin."""

    text: str
    open: bool = False
    unlike: bool = False

    @property
    def is_known(self) -> bool:
        """True where it is just this text."""
        return not self.open and not self.unlike


Values = tuple[Value, ...]
"""the values of a key; none where a call does not have the key"""
BucketTags = Mapping[str, tuple[str, ...]]
"""the tags of a bucket by key in lower case: to S3 keys may differ in case alone, to conditions they do not"""


@dataclass(frozen=True)
class PrincipalFacts:
    """A user or role."""

    kind: Literal["user", "role"]
    name: str
    arn: str
    unique_id: str | None = None
    """`AIDA...` or `AROA...`"""
    tags: Mapping[str, str] | None = None
    """by key in lower case; None where they are not known, as those of the sessions of a role"""
    is_anyone: bool = False
    """true for whichever user it is: it is only known how name, ARN and id begin"""

    @staticmethod
    def any_user(account_id: str, partition: str) -> "PrincipalFacts":
        """A user of an account of whom nothing else is known, as whoever is or becomes a member of a group."""
        return PrincipalFacts("user", "", f"arn:{partition}:iam::{account_id}:user/", _USER_IDS, is_anyone=True)

    @property
    def account_id(self) -> str:
        """The account that it is of."""
        return self.arn.split(":")[4]


@dataclass(frozen=True)
class Facts:
    """What all calls have in common to which the conditions of a statement are applied."""

    account_id: str | None = None
    """account of the buckets and, where `identity`, of whoever calls; None where it is not known"""
    organization_id: str | None = None
    """organization of that account, `o-...`; None where it is not known"""
    principal: PrincipalFacts | None = None
    """who calls, where it is one principal"""
    identity: bool = True
    """true where only users and roles of the account call, as with its own identity policies"""
    access_point: str | None = None
    """ARN of the access point that calls go through"""
    network_origin: str | None = None
    """of that access point, `Internet` or `VPC`; None where it is not known"""
    requested_region: str | None = None
    """region whose endpoint is called; None where it is not known"""
    organization_path: str | None = None
    """where the account stands in its organization, `o-.../r-.../ou-.../`; None where it is not known"""
    service: str | None = None
    """service of AWS that makes the call for the principal, such as `athena.amazonaws.com`; None: ordinary calls"""
    lists: bool = True
    """false for calls that do not list keys, which have none of the keys of a listing"""
    bucket_tags: BucketTags | None = None
    """the tags of the bucket that calls are about, which may count or not; None where they are not known"""
    elsewhere: bool = False
    """true for calls about what is of another account"""
    strangers: bool = False
    """true for calls of whoever is not of the account: of another one, of a service, or of nobody known"""
    partition: str = "aws"
    """partition of the account"""

    def values(self, key: str) -> Values | None:
        """The values of a condition key in every call, none where no call has it; None where that is not known."""
        name = key.lower()
        if name.startswith(_TAG):
            return self._tag(name.removeprefix(_TAG))
        known = _KNOWN.get(name)
        return None if known is None else known(self)

    def possible_values(self, key: str) -> tuple[Values, ...]:
        """The values that a key may have, each in some calls, where that is all that is known; else none."""
        name = key.lower()
        if self.bucket_tags is not None and name.startswith(BUCKET_TAGS):
            tags = self.bucket_tags.get(name.partition("/")[2], ())
            return ((), *((Value(tag),) for tag in tags))
        if self.strangers and self.account_id is not None and name in _OF_STRANGERS:
            own = Value(_OF_STRANGERS[name].format(partition=self.partition, account=self.account_id), unlike=True)
            return ((), (own,))
        return () if self.values(key) is not None else _POSSIBLE.get(name, ())

    def usual_values(self, key: str) -> Values | None:
        """The values of a key that says how a call is made, in an ordinary call; None for every other key."""
        name = key.lower()
        if self.values(key) is not None or (self.access_point is not None and name == _NETWORK_ORIGIN):
            return None
        return _USUAL.get(name)

    def through(self, access_point: str, network_origin: str | None) -> "Facts":
        """The same of calls through an access point."""
        return replace(self, access_point=access_point, network_origin=network_origin)

    def substituted(self, pattern: str) -> str:
        """A pattern with the values of those policy variables that are known. The others stay as they are."""
        return _VARIABLE.sub(self._substitute, pattern) if "${" in pattern else pattern

    def lacks(self, pattern: str) -> bool:
        """True where a policy variable of a pattern has no value in any call: nothing matches it then."""
        return any(default is None and self.values(name) == () for name, default in _variables(pattern))

    def _substitute(self, match: re.Match[str]) -> str:
        name = match[1].strip()
        values = None if name.lower() in _OF_SEVERAL_VALUES else self.values(name)
        if values is None:
            return match[0]
        if not values:
            return match[0] if match[2] is None else _escaped(match[2])
        return _escaped(values[0].text) if values[0].is_known else match[0]

    def _tag(self, key: str) -> Values | None:
        if self.principal is None or self.principal.tags is None:
            return None
        value = self.principal.tags.get(key)
        return () if value is None else (Value(value),)


UNKNOWN = Facts()
"""nothing but how ordinary calls are made"""


def _variables(pattern: str) -> Iterator[tuple[str, str | None]]:
    """The variables of a pattern by name, with their defaults."""
    return ((match[1].strip(), match[2]) for match in _VARIABLE.finditer(pattern)) if "${" in pattern else iter(())


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda character: f"${{{character[0]}}}", text)


def _one(text: str | None) -> Values | None:
    return None if text is None else (Value(text),)


def _principal_account(facts: Facts) -> Values | None:
    if facts.principal is not None:
        return _one(facts.principal.account_id)
    return _one(facts.account_id) if facts.identity else None


def _of_the_own_account(facts: Facts, value: str | None) -> Values | None:
    """What is known of the account, where whoever calls is of it."""
    account = _principal_account(facts)
    return _one(value) if account and account[0].text == facts.account_id else None


def _arn(facts: Facts) -> Values | None:
    principal = facts.principal
    return None if principal is None else (Value(principal.arn, open=principal.is_anyone),)


def _user_name(facts: Facts) -> Values | None:
    principal = facts.principal
    if principal is None:
        return None
    return (Value(principal.name, open=principal.is_anyone),) if principal.kind == "user" else ()


def _user_id(facts: Facts) -> Values | None:
    """The id of a user; for a role the id, a colon and the name of the session."""
    principal = facts.principal
    if principal is None or principal.unique_id is None:
        return None
    if principal.kind == "user":
        return (Value(principal.unique_id, open=principal.is_anyone),)
    return (Value(f"{principal.unique_id}:", open=True),)


def _resource_account(facts: Facts) -> Values | None:
    return None if facts.account_id is None else (Value(facts.account_id, unlike=facts.elsewhere),)


def _of_the_resource(facts: Facts, value: str | None) -> Values | None:
    return None if facts.elsewhere else _one(value)


def _type(facts: Facts) -> Values | None:
    if facts.principal is None:
        return None
    return _one("User" if facts.principal.kind == "user" else "AssumedRole")


def _never_a_service(facts: Facts, values: Values) -> Values | None:
    return values if facts.identity or facts.principal is not None else None


def _access_point(facts: Facts) -> Values | None:
    return _one(facts.access_point)


def _access_point_account(facts: Facts) -> Values | None:
    return None if facts.access_point is None else _one(facts.access_point.split(":")[4])


_KNOWN: Mapping[str, Callable[[Facts], Values | None]] = {
    "aws:principalaccount": _principal_account,
    "aws:principalorgid": lambda facts: _of_the_own_account(facts, facts.organization_id),
    "aws:principalorgpaths": lambda facts: _of_the_own_account(facts, facts.organization_path),
    "aws:principalarn": _arn,
    "aws:principaltype": _type,
    "aws:username": _user_name,
    "aws:userid": _user_id,
    "aws:principalisawsservice": lambda facts: _never_a_service(facts, (Value("false"),)),
    "aws:principalservicename": lambda facts: _never_a_service(facts, ()),
    "aws:resourceaccount": _resource_account,
    "s3:resourceaccount": _resource_account,
    "aws:resourceorgid": lambda facts: _of_the_resource(facts, facts.organization_id),
    "aws:resourceorgpaths": lambda facts: _of_the_resource(facts, facts.organization_path),
    "aws:requestedregion": lambda facts: _one(facts.requested_region),
    "s3:dataaccesspointarn": _access_point,
    "s3:dataaccesspointaccount": _access_point_account,
    _NETWORK_ORIGIN: lambda facts: _one(facts.network_origin),
    "aws:viaawsservice": lambda facts: _one(facts.service and "true"),
    "aws:calledvia": lambda facts: _one(facts.service),
    "aws:calledviafirst": lambda facts: _one(facts.service),
    "aws:calledvialast": lambda facts: _one(facts.service),
    **dict.fromkeys(OF_LISTINGS, lambda facts: None if facts.lists else ()),
}
"""What decides a key, by the key in lower case"""

_USUAL: Mapping[str, Values] = {
    "aws:securetransport": (Value("true"),),
    "s3:tlsversion": (Value("1.3"),),
    "s3:signatureversion": (Value("AWS4-HMAC-SHA256"),),
    "s3:authtype": (Value("REST-HEADER"),),
    "aws:viaawsservice": (Value("false"),),
    "aws:calledvia": (),
    "aws:calledviafirst": (),
    "aws:calledvialast": (),
    "s3:dataaccesspointarn": (),
    "s3:dataaccesspointaccount": (),
    _NETWORK_ORIGIN: (),
}
"""How an ordinary call is made, by the key in lower case"""

_POSSIBLE: Mapping[str, tuple[Values, ...]] = {
    # Actions of MCP servers have services of their own: none is of S3, nor assumes a role.
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSMcpServiceActionsFullAccess.html
    "aws:ismcpserviceaction": ((), (Value("false"),)),
}
"""What a key may be in calls of S3 and STS, by the key in lower case"""

_OF_STRANGERS = {
    "aws:principalaccount": "{account}",
    "aws:principalarn": "arn:{partition}:iam::{account}:",
}
"""How a key, where calls have it, does not begin in calls of those who are not of the account"""
