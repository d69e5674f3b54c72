"""An account as AWS decides in it: its stored rows, asked with the evaluator of the tests."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.model import OrgAccount, Tag
from tests.aws.evaluator import (
    Caller,
    Limits,
    Owner,
    Point,
    Policy,
    Request,
    Verdict,
    can_assume,
    decide,
    decide_through,
    parse,
)
from tests.aws.evaluator.documents import Rule
from tests.aws.evaluator.patterns import Context

ON_OBJECTS = ("s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:DeleteObject")
ON_BUCKETS = ("s3:ListBucket", "s3:GetBucketLocation", "s3:PutBucketAcl", "s3:GetBucketTagging")
ON_ACCOUNT = {
    "s3:ListAllMyBuckets": "arn:aws:s3:::*",
    "s3:CreateJob": "*",
    "s3:DeleteAccessPoint": "arn:aws:s3:eu-west-1:111122223333:accesspoint/q",
}
THROUGH_POINTS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket")
WATCHED = frozenset((*ON_OBJECTS, *ON_BUCKETS, *ON_ACCOUNT))
"""the permissions that are tried"""

MFA, TEMPORARY = "mfa", "temporary credentials without MFA"
CORPORATE, ENDPOINT, OTHER_ENDPOINT = "corporate address", "VPC endpoint", "another VPC endpoint"
PLAIN_HTTP, OLD_TLS, EARLIER, TAG_KEYS = "no TLS", "TLS 1.1", "before 2020", "a key of a tag"
OTHER_REGION, OF_X, OF_Y, OF_A_TAG = "another region", "of team x", "of team y", "with a tag `none`"
CORPORATE_ADDRESSES, VPC_ENDPOINT = "192.0.2.0/24", "vpce-1"
SERVICE = "a service that calls for somebody"
"""what is claimed with a note of it is tried in this one, too"""
OTHER_SERVICE = "another service that calls for somebody"
Situation = frozenset[str]
NEUTRAL: Situation = frozenset()
DIMENSIONS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    (MFA, TEMPORARY): ("aws:multifactorauthpresent",),
    (CORPORATE, ENDPOINT, OTHER_ENDPOINT): ("aws:sourceip", "aws:sourcevpc"),
    (PLAIN_HTTP, OLD_TLS): ("aws:securetransport", "s3:tlsversion"),
    (EARLIER,): ("aws:currenttime",),
    (TAG_KEYS,): ("aws:tagkeys",),
    (SERVICE, OTHER_SERVICE): ("aws:calledvia", "aws:viaawsservice"),
    (OTHER_REGION,): ("aws:requestedregion",),
    (OF_X, OF_Y): ("aws:principaltag/team",),
    (OF_A_TAG,): ("aws:principaltag/none",),
}
"""in what a request may differ from a neutral one (at most one of each), and how the condition keys about it begin"""


@dataclass(frozen=True)
class Probe:
    """A request of somebody."""

    action: str
    resource: str
    prefix: str | None = None
    """the prefix that a listing asks for"""
    point: str | None = None
    """ARN of the access point that it is sent to; `resource` is what it is about in the bucket"""

    @property
    def bucket(self) -> str:
        """The bucket that it is about; something else where it is about none."""
        return self.resource.removeprefix("arn:aws:s3:::").partition("/")[0]


@dataclass
class World:
    """An account with AWS's answers to requests. Principals are `user:NAME` and `role:NAME`.

    `group:NAME` stands for a member of a group who has nothing else.
    """

    inputs: AccessInputs
    decided: dict[tuple[str, Probe, Situation, bool], bool] = field(default_factory=dict)

    @cached_property
    def principals(self) -> list[str]:
        """Users and roles."""
        users = [f"user:{user.user_name}" for user in self.inputs.users]
        return [*users, *(f"role:{role.role_name}" for role in self.inputs.roles)]

    @cached_property
    def groups_of(self) -> dict[str, list[str]]:
        """By principal, whose policies it has: itself, and the groups of a user."""
        found = {who: [who] for who in (*self.principals, *(f"group:{one.group_name}" for one in self.inputs.groups))}
        for user in self.inputs.users:
            found[f"user:{user.user_name}"] += [f"group:{name}" for name in user.group_names]
        return found

    def members(self, group: str) -> list[str]:
        """Users of a group."""
        return [f"user:{user.user_name}" for user in self.inputs.users if group in user.group_names]

    # -- requests ------------------------------------------------------------------------------------------------------

    def allows(self, who: str, probe: Probe, situation: Situation = NEUTRAL, *, for_sure: bool = True) -> bool:
        """AWS's answer, for sure or in the reading that allows more."""
        key = who, probe, situation, for_sure
        if key not in self.decided:
            context = self.context(who, situation)
            if probe.prefix is not None:
                context = {**context, "s3:prefix": (probe.prefix,), "s3:delimiter": ("/",)}
            self.decided[key] = self._verdict(who, probe, context, for_sure) is Verdict.ALLOWED
        return self.decided[key]

    def _verdict(self, who: str, probe: Probe, context: Context, for_sure: bool) -> Verdict:
        caller, limits, owner = self.caller(who), self.limits[who], self._owners.get(probe.bucket, self._owner)
        if probe.point is None:
            request = Request(probe.action, probe.resource, context)
            return decide(caller, limits, owner, request, for_sure=for_sure)
        point, _ = self._points[probe.point]
        request = Request(probe.action, self.at_point(probe), context)
        return decide_through(caller, limits, point, owner, request, probe.resource, for_sure=for_sure)

    def at_point(self, probe: Probe) -> str:
        """What a request is about by the ARN of its access point."""
        key = probe.resource.removeprefix(f"arn:aws:s3:::{probe.bucket}").removeprefix("/")
        return f"{probe.point}/object/{key}" if key else f"{probe.point}"

    def in_some_situation(self, who: str, probe: Probe) -> bool:
        """Whether some context allows it, in the reading that allows more."""
        return any(self.allows(who, probe, situation, for_sure=False) for situation in self.situations)

    @cached_property
    def situations(self) -> list[Situation]:
        """Every context that a document of the account may tell from the others, the neutral one first."""
        inputs = self.inputs
        texts = [row.document for row in (*inputs.policies, *inputs.org_control_policies)]
        texts += [row.document or "" for row in inputs.attachments]
        texts += [row.policy or "" for row in (*inputs.bucket_policies, *inputs.access_points)]
        asked = "\n".join((*texts, *(role.trust_policy for role in inputs.roles))).lower()
        in_vpc = any(point.network_origin == "VPC" for point in inputs.access_points)
        listed = [
            ((), *((name,) for name in names))
            for names, keys in DIMENSIONS.items()
            if any(key in asked for key in keys) or (ENDPOINT in names and in_vpc)
        ]
        return [frozenset(name for names in each for name in names) for each in product(*listed)]

    def assumes(self, who: str, role: str, situation: Situation = NEUTRAL) -> bool:
        """Whether a user or role may assume a role."""
        arn, trust = self._roles[role]
        context = self.context(who, situation)
        return can_assume(self.caller(who), self.limits[who], arn, trust, self._owner, context) is Verdict.ALLOWED

    def is_given_by(self, external_id: str, who: str, probe: Probe, situation: Situation = NEUTRAL) -> bool:
        """Whether an Allow of the documents of an access provider is about a request of somebody."""
        context = self.context(who, situation)
        resource = probe.resource if probe.point is None else self.at_point(probe)
        return any(
            not rule.deny and rule.is_about(probe.action, resource, context)
            for policy in self.documents(external_id, who)
            for rule in policy.rules
        )

    def documents(self, external_id: str, who: str) -> list[Policy]:
        """The documents of an access provider that somebody has."""
        whose = self.groups_of[who]
        kind, _, rest = external_id.partition(":")
        name = rest.partition("|")[0]
        if kind == "bucketpolicy":
            policy = self._owners[name].policy
            return [policy] if policy is not None else []
        if kind == "accesspoint":
            point, _ = self._points[rest]
            return [point.policy] if point.policy is not None else []
        if kind == "policy":
            return [policy for one in whose for its, policy in self._managed[one] if its == name]
        own = f"{kind}:{name}"
        return self._inline[own] if own in whose else []

    def documents_called(self, label: str, who: str) -> list[Policy]:
        """The documents that reasons call by a label, of those that somebody has; several where that may be either."""
        kind, _, name = label.rpartition(" ")
        whose = self.groups_of[who]
        if kind == "inline policy":
            return [parse(text) for one in whose for text in self._inline_texts.get((one, name), ())]
        if kind == "bucket policy of":
            policy = self._owners[name].policy
            return [policy] if policy is not None else []
        if kind in ("service control policy", "resource control policy"):
            return [parse(row.document) for row in self.inputs.org_control_policies if row.name == name]
        return [policy for its, policy in self._policies.values() if its == name]

    def holds(self, rule: Rule, who: str, probe: Probe, situation: Situation) -> bool:
        """Whether the conditions of a statement hold in a request."""
        return replace(rule, resources=("*",), all_resources_but=False, deny=False, named={}).is_about(
            probe.action, None, self.context_of(who, probe, situation)
        )

    def is_about(self, rule: Rule, who: str, probe: Probe, situation: Situation) -> bool:
        """Whether a statement is about a request, by the ARN of the bucket or that of the access point."""
        context = self.context_of(who, probe, situation)
        resources = [probe.resource, *([] if probe.point is None else [self.at_point(probe)])]
        return any(rule.is_about(probe.action, resource, context) for resource in resources)

    def context_of(self, who: str, probe: Probe, situation: Situation) -> Context:
        """The condition keys of one request of somebody in a situation."""
        context = dict(self.context(who, situation))
        if probe.prefix is not None:
            context |= {"s3:prefix": (probe.prefix,), "s3:delimiter": ("/",)}
        if probe.point is not None:
            point, _ = self._points[probe.point]
            context |= {"s3:dataaccesspointarn": (point.arn,), "s3:dataaccesspointaccount": (point.account,)}
        return context

    # -- callers -------------------------------------------------------------------------------------------------------

    def caller(self, who: str) -> Caller:
        """Who asks."""
        here = self.inputs.account_id
        kind, _, name = who.partition(":")
        if kind == "role":
            session = f"arn:aws:sts::{here}:assumed-role/{name}/somebody"
            return Caller(here, self._roles[name][0], f"AROA{name}", session)
        arn = f"arn:aws:iam::{here}:user/member-of-{name}" if kind == "group" else self._users[name]
        return Caller(here, arn, f"AIDA{name}")

    def context(self, who: str, situation: Situation) -> Context:
        """The condition keys of a request of somebody in a situation."""
        key = who, situation
        if key not in self._contexts:
            self._contexts[key] = self._context(who, situation)
        return self._contexts[key]

    def _context(self, who: str, situation: Situation) -> Context:
        caller, here = self.caller(who), self.inputs.account_id
        context = {
            "aws:securetransport": ("true",),
            "s3:tlsversion": ("1.3",),
            "aws:principalarn": (caller.arn,),
            "aws:principalaccount": (here,),
            "aws:principaltype": ("AssumedRole" if caller.is_role else "User",),
            "aws:userid": (f"{caller.unique_id}:somebody" if caller.is_role else caller.unique_id,),
            "aws:resourceaccount": (here,),
            "s3:resourceaccount": (here,),
            "aws:requestedregion": ("eu-west-1",),
            "aws:currenttime": ("2024-06-01T00:00:00Z",),
            "aws:viaawsservice": ("false",),
        }
        if self._place is not None:
            context["aws:principalorgid"] = context["aws:resourceorgid"] = (self._place.organization_id,)
        if not caller.is_role:
            context["aws:username"] = (name := caller.arn.rpartition("/")[2],)
            context |= {f"aws:principaltag/{tag.key.lower()}": (tag.value,) for tag in self._tags.get(name, ())}
        endpoints = {ENDPOINT: (VPC_ENDPOINT, "vpc-1"), OTHER_ENDPOINT: ("vpce-2", "vpc-2")}
        endpoint = next((endpoints[each] for each in situation if each in endpoints), None)
        if endpoint is None:
            context["aws:sourceip"] = ("192.0.2.1" if CORPORATE in situation else "203.0.113.7",)
        else:
            context["aws:sourcevpce"], context["aws:sourcevpc"] = ((each,) for each in endpoint)
        if MFA in situation or TEMPORARY in situation or caller.is_role:
            context["aws:multifactorauthpresent"] = ("true" if MFA in situation else "false",)
        for each in situation:
            # Of a user the tags are those that the account says; a session of a role may have others.
            if caller.is_role or each not in (OF_X, OF_Y, OF_A_TAG):
                context |= _CHANGES.get(each, {})
        if PLAIN_HTTP in situation:
            del context["s3:tlsversion"]
        return context

    # -- what the rows say ---------------------------------------------------------------------------------------------

    @cached_property
    def limits(self) -> Mapping[str, Limits]:
        """What the account says of each principal."""
        edges = {f"user:{user.user_name}": user.permissions_boundary_arn for user in self.inputs.users}
        edges |= {f"role:{role.role_name}": role.permissions_boundary_arn for role in self.inputs.roles}
        found = {}
        for who, whose in self.groups_of.items():
            identity = [policy for one in whose for policy in self._inline[one]]
            identity += [policy for one in whose for _, policy in self._managed[one]]
            edge = edges.get(who)
            boundary = self._policies[edge][1] if edge in self._policies else parse("") if edge else None
            controls = () if who in self._service_linked else self._controls("SERVICE_CONTROL_POLICY")
            found[who] = Limits(tuple(identity), boundary, service_control=controls)
        return found

    @cached_property
    def _service_linked(self) -> frozenset[str]:
        return frozenset(
            f"role:{one.role_name}" for one in self.inputs.roles if one.path.startswith("/aws-service-role/")
        )

    @cached_property
    def _place(self) -> OrgAccount | None:
        """Where the account stands in its organization, where that is known."""
        return next((row for row in self.inputs.org_accounts if row.account_id == self.inputs.account_id), None)

    def _controls(self, kind: str) -> tuple[tuple[Policy, ...], ...]:
        """The control policies of a kind by level, from the root down."""
        here = self._place
        if here is None or here.management or kind not in here.policy_types:
            return ()
        documents = {row.policy_id: parse(row.document) for row in self.inputs.org_control_policies}
        return tuple(
            tuple(
                documents[row.policy_id]
                for row in self.inputs.org_policy_targets
                if (row.target_id, row.policy_type) == (node, kind)
            )
            for node in (*here.path, here.account_id)
        )

    @cached_property
    def _policies(self) -> dict[str | None, tuple[str, Policy]]:
        return {row.arn: (row.policy_name, parse(row.document)) for row in self.inputs.policies}

    @cached_property
    def _inline(self) -> Mapping[str, list[Policy]]:
        found: dict[str, list[Policy]] = defaultdict(list)
        for row in self.inputs.attachments:
            if row.document is not None:
                found[f"{row.principal_type}:{row.principal_name}"].append(parse(row.document))
        return found

    @cached_property
    def _inline_texts(self) -> Mapping[tuple[str, str], list[str]]:
        """By `user:NAME` and the name of the policy."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in self.inputs.attachments:
            if row.document is not None:
                found[f"{row.principal_type}:{row.principal_name}", row.policy_name].append(row.document)
        return found

    @cached_property
    def _managed(self) -> Mapping[str, list[tuple[str, Policy]]]:
        found: dict[str, list[tuple[str, Policy]]] = defaultdict(list)
        for row in self.inputs.attachments:
            if row.policy_arn in self._policies:
                found[f"{row.principal_type}:{row.principal_name}"].append(self._policies[row.policy_arn])
        return found

    @cached_property
    def _owner(self) -> Owner:
        return Owner(self.inputs.account_id, None, self._controls("RESOURCE_CONTROL_POLICY"))

    @cached_property
    def _owners(self) -> Mapping[str, Owner]:
        owners = {bucket.name: self._owner for bucket in self.inputs.buckets}
        for row in self.inputs.bucket_policies:
            if row.policy is not None:
                owners[row.bucket] = replace(self._owner, policy=parse(row.policy))
        return owners

    @cached_property
    def _points(self) -> Mapping[str, tuple[Point, str]]:
        """Access points and their buckets, by ARN."""
        return {
            row.arn: (
                Point(
                    row.arn,
                    None if row.policy is None else parse(row.policy),
                    self.inputs.account_id,
                    getattr(row, "network_origin", None) or "Internet",
                ),
                row.bucket,
            )
            for row in self.inputs.access_points
        }

    @cached_property
    def _users(self) -> dict[str, str]:
        return {user.user_name: user.arn for user in self.inputs.users}

    @cached_property
    def _tags(self) -> dict[str, tuple[Tag, ...]]:
        return {user.user_name: user.tags for user in self.inputs.users}

    @cached_property
    def _roles(self) -> dict[str, tuple[str, Policy]]:
        return {role.role_name: (role.arn, parse(role.trust_policy)) for role in self.inputs.roles}

    @cached_property
    def _contexts(self) -> dict[tuple[str, Situation], Context]:
        return {}


ATHENA = "athena.amazonaws.com"
_CHANGES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    PLAIN_HTTP: {"aws:securetransport": ("false",)},
    OLD_TLS: {"s3:tlsversion": ("1.1",)},
    EARLIER: {"aws:currenttime": ("2019-06-01T00:00:00Z",)},
    TAG_KEYS: {"aws:tagkeys": ("b",)},
    SERVICE: {
        "aws:viaawsservice": ("true",),
        **dict.fromkeys(("aws:calledvia", "aws:calledviafirst", "aws:calledvialast"), (ATHENA,)),
    },
    OTHER_SERVICE: {
        "aws:viaawsservice": ("true",),
        **dict.fromkeys(("aws:calledvia", "aws:calledviafirst", "aws:calledvialast"), ("lambda.amazonaws.com",)),
    },
    OTHER_REGION: {"aws:requestedregion": ("ap-south-1",)},
    OF_X: {"aws:principaltag/team": ("x",)},
    OF_Y: {"aws:principaltag/team": ("y",)},
    OF_A_TAG: {"aws:principaltag/none": ("some",)},
}


def probes_of_bucket(bucket: str, actions: Iterator[str] | tuple[str, ...], keys: list[str]) -> Iterator[Probe]:
    """The requests that permissions on a bucket stand for."""
    for action in actions:
        if action in ON_OBJECTS:
            yield from (Probe(action, f"arn:aws:s3:::{bucket}/{key}") for key in keys)
        elif action in ON_BUCKETS:
            yield Probe(action, f"arn:aws:s3:::{bucket}")
