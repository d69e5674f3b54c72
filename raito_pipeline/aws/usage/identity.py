"""Who made a call, by the name that Raito Cloud knows them under.

The identity types: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from collections.abc import Mapping

from raito_pipeline.aws.usage.records import Identity


def who(identity: Identity | None, people: Mapping[str, str]) -> tuple[str, str | None] | None:
    """The user and the role of an identity; None where it names nobody.

    `people` are the users of IAM Identity Center: user id -> user name.
    """
    if identity is None:
        return None
    role = _role(identity) if identity.type == "AssumedRole" else None
    user = _named(identity, people) or identity.invokedBy or identity.arn or identity.userName or identity.principalId
    user = user or identity.accountId
    return (user, role) if user else None


def _named(identity: Identity, people: Mapping[str, str]) -> str | None:
    behalf = identity.onBehalfOf.userId if identity.onBehalfOf is not None else None
    if behalf is not None and behalf in people:
        return people[behalf]
    if identity.type == "IAMUser":
        return identity.userName
    if identity.type == "AssumedRole":
        return (identity.principalId or "").partition(":")[2] or None
    if identity.type == "Root":
        return "root"
    if identity.type == "IdentityCenterUser" and identity.onBehalfOf is not None:
        return identity.userName or identity.onBehalfOf.userId
    return None


def _role(identity: Identity) -> str | None:
    """The name of the assumed role: of the issuer, else out of `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`."""
    issuer = identity.sessionContext.sessionIssuer if identity.sessionContext is not None else None
    if issuer is not None and issuer.userName:
        return issuer.userName
    parts = (identity.arn or "").split(":assumed-role/", 1)
    return parts[1].partition("/")[0] or None if len(parts) == 2 else None
