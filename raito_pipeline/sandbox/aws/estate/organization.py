"""The organization of the estate: its units, where the accounts stand in them, and the control policies there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moto.organizations.models import FakeAccount, FakeOrganizationalUnit, OrganizationsBackend, organizations_backends

from raito_pipeline.sandbox.aws.estate.documents import deny, text

SERVICE, RESOURCE = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
_REGION = "us-east-1"
_HOME_REGIONS = ("us-east-1", "eu-west-1", "eu-central-1")
_GLOBAL_SERVICES = ("iam:*", "organizations:*", "s3:*", "sts:*", "support:*")


@dataclass(frozen=True)
class ControlPolicy:
    """A control policy of the estate, and the name of the unit that it is attached to ("" = the root)."""

    name: str
    type: str
    unit: str
    document: str


POLICIES = (
    ControlPolicy("DenyBucketDeletion", SERVICE, "production", text(deny("s3:DeleteBucket", "*", Sid="KeepBuckets"))),
    # The usual guard of regions: what is global is left out of it, and S3 with it.
    ControlPolicy(
        "HomeRegions",
        SERVICE,
        "",
        text(
            {
                "Sid": "HomeRegions",
                "Effect": "Deny",
                "NotAction": list(_GLOBAL_SERVICES),
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": list(_HOME_REGIONS)}},
            }
        ),
    ),
    ControlPolicy(
        "NoObjectRemovalOutsideHome",
        SERVICE,
        "sandboxes",
        text(deny("s3:DeleteObject", "*", Condition={"StringNotEquals": {"aws:RequestedRegion": list(_HOME_REGIONS)}})),
    ),
    ControlPolicy(
        "NoBucketAcls",
        RESOURCE,
        "production",
        text({"Sid": "NoAcls", "Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketAcl", "Resource": "*"}),
    ),
)
UNITS: Mapping[str, str] = {"production": "", "sandboxes": "", "analytics": "production"}
"""Organizational units, each with the unit that it is in."""
_TURNS = ("production", "analytics", "sandboxes")


def seed_organization(master: str, members: Sequence[str]) -> None:
    """Make the organization with both types of control policies, and put the member accounts into its units in turn."""
    backend = organizations_backends[master]["aws"]
    backend.create_organization(_REGION)
    root = backend.ou[0]
    for kind in (SERVICE, RESOURCE):
        backend.enable_policy_type(RootId=root.id, PolicyType=kind)
    units = {"": root}
    for name, above in UNITS.items():
        units[name] = _unit(backend, name, units[above].id)
    for at, account_id in enumerate(members):
        _member(backend, account_id, units[_TURNS[at % len(_TURNS)]].id)
    for policy in POLICIES:
        made = backend.create_policy(
            Name=policy.name, Description=policy.name, Type=policy.type, Content=policy.document
        )
        policy_id = made["Policy"]["PolicySummary"]["Id"]
        backend.attach_policy(PolicyId=policy_id, TargetId=units[policy.unit].id)


def _unit(backend: OrganizationsBackend, name: str, above: str) -> FakeOrganizationalUnit:
    made = backend.create_organizational_unit(Name=name, ParentId=above)
    return backend.get_organizational_unit_by_id(made["OrganizationalUnit"]["Id"])


def _member(backend: OrganizationsBackend, account_id: str, unit: str) -> None:
    """An account as one that was invited: `CreateAccount` of the emulator gives it an id of its own choice."""
    assert backend.org is not None
    account = FakeAccount(backend.org, AccountName=account_id, Email=f"{account_id}@example.com")
    account.id, account.parent_id = account_id, unit
    backend.accounts.append(account)
    for policy_id in ("p-FullAWSAccess", "p-RCPFullAWSAccess"):
        backend.attach_policy(PolicyId=policy_id, TargetId=account_id)
    organizations_backends.master_accounts[account_id] = (backend.account_id, "aws")
