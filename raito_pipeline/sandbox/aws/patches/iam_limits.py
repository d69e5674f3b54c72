"""What IAM refuses: sizes and numbers beyond its limits, and trust policies that are none.

Characters and lengths of single parameters are those of IAM's own model (`service_models`).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import json
import re
from typing import Any

from moto.iam.exceptions import LimitExceededException, MalformedPolicyDocument
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator
from moto.iam.responses import IamResponse

from raito_pipeline.sandbox.aws.patches.principals import invalid_principals
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

_LARGEST_POLICY = 6_144
_LARGEST_TRUST = 2_048
_LARGEST_INLINE = {"role": 10_240, "user": 2_048, "group": 5_120}
_MOST_ATTACHED = 10
_MOST_GROUPS = 10


def patch_iam_limits() -> None:
    """Refuse in calls what AWS refuses; seeding in-process stays free."""
    for method in ("create_policy", "create_policy_version"):
        _check_size_in(method)
    for kind, largest in _LARGEST_INLINE.items():
        _check_inline(kind, largest)
        _check_attached(kind)
    for method, parameter in (
        ("create_role", "AssumeRolePolicyDocument"),
        ("update_assume_role_policy", "PolicyDocument"),
    ):
        _check_trust_in(method, parameter)

    @replace(IamResponse, "add_user_to_group")
    def add_user_to_group(before: Method, self: IamResponse) -> Any:
        name, group = self._get_param("UserName"), self._get_param("GroupName")
        groups = {known.name for known in self.backend.get_groups_for_user(name)}
        if len(groups - {group}) >= _MOST_GROUPS:
            raise LimitExceededException(f"Cannot exceed quota for GroupsPerUser: {_MOST_GROUPS}")
        return before(self)


def size_of(document: str) -> int:
    """The size that counts against IAM's limits: characters without white space."""
    return len(re.sub(r"\s", "", document))


def _check_size_in(method: str) -> None:
    @replace(IamResponse, method)
    def check_size(before: Method, self: IamResponse) -> Any:
        if size_of(self._get_param("PolicyDocument")) > _LARGEST_POLICY:
            raise LimitExceededException(f"Cannot exceed quota for PolicySize: {_LARGEST_POLICY}")
        return before(self)


def _entity(self: IamResponse, kind: str) -> Any:
    return getattr(self.backend, f"get_{kind}")(self._get_param(f"{kind.capitalize()}Name"))


def _check_inline(kind: str, largest: int) -> None:
    @replace(IamResponse, f"put_{kind}_policy")
    def check_inline(before: Method, self: IamResponse) -> Any:
        entity = _entity(self, kind)
        policies = {**entity.policies, self._get_param("PolicyName"): self._get_param("PolicyDocument")}
        if sum(size_of(document) for document in policies.values()) > largest:
            raise LimitExceededException(f"Maximum policy size of {largest} bytes exceeded for {kind} {entity.name}")
        return before(self)


def _check_attached(kind: str) -> None:
    @replace(IamResponse, f"attach_{kind}_policy")
    def check_attached(before: Method, self: IamResponse) -> Any:
        others = set(_entity(self, kind).managed_policies) - {self._get_param("PolicyArn")}
        if len(others) >= _MOST_ATTACHED:
            quota = f"PoliciesPer{kind.capitalize()}"
            raise LimitExceededException(f"Cannot exceed quota for {quota}: {_MOST_ATTACHED}")
        return before(self)


def _check_trust_in(method: str, parameter: str) -> None:
    @replace(IamResponse, method)
    def check_trust(before: Method, self: IamResponse) -> Any:
        _check_trust(self._get_param(parameter))
        return before(self)


def _check_trust(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        raise MalformedPolicyDocument("This policy contains invalid Json") from None
    IAMTrustPolicyDocumentValidator(text).validate()
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    if not all("Principal" in statement or "NotPrincipal" in statement for statement in statements):
        raise MalformedPolicyDocument("AssumeRole policy must contain principals")
    for principal in invalid_principals(document):
        raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{principal}"')
    if size_of(text) > _LARGEST_TRUST:
        raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {_LARGEST_TRUST}")
