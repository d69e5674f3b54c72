"""Which instance of IAM Identity Center is the organization's: others may lie beside it, or be made or deleted.

https://docs.aws.amazon.com/singlesignon/latest/userguide/identity-center-instances.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.aws.connection.paging import Service

_PAGE = 100  # what ListInstances gives at most: asking for it saves pages
_ACTIVE = "ACTIVE"


class NoIdentityCenter(AwsError):
    """There is no instance of IAM Identity Center that can be used where the options say that there is one."""

    def __init__(self, region: str, profile: str | None, seen: Iterable[str] = ()) -> None:
        beside = "; ".join(dict.fromkeys(seen))
        super().__init__(
            f"sso:ListInstances with profile {profile or 'default chain'}: there is no instance of IAM Identity Center "
            f"of an organization in {region}{f' ({beside})' if beside else ''}. Correct aws-organization-region or "
            "aws-organization-profile; nothing was read.",
            action="sso:ListInstances",
            resource=region,
        )


@dataclass(frozen=True, slots=True)
class Home:
    """What the options know of the organization's instance; what they do not is empty."""

    instance_arn: str = ""
    identity_store_id: str = ""
    """`d-...`, or an ARN that ends in it"""
    owner: str = ""
    """the master account"""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance as `ListInstances` answers it."""

    arn: str
    store_id: str
    owner: str = ""
    status: str = _ACTIVE

    @classmethod
    def of(cls, answered: Mapping[str, Any]) -> "Instance":
        """Of an answer; what it leaves out is empty, and the status then the usual one."""
        return cls(
            answered.get("InstanceArn") or "",
            answered.get("IdentityStoreId") or "",
            answered.get("OwnerAccountId") or "",
            answered.get("Status") or _ACTIVE,
        )

    @property
    def label(self) -> str:
        """The instance as a person finds it."""
        owner = f" of account {self.owner}" if self.owner else ""
        return f"the Identity Center instance {self.arn or 'without ARN'}{owner}"


def listed_instances(sso: Service) -> list[Instance]:
    """Every instance that `sso-admin` reaches in its region, whatever its status. Raises `AwsError`."""
    return [Instance.of(one) for one in sso.items("ListInstances", "Instances", "*", MaxResults=_PAGE) if one]


def choose(listed: Sequence[Instance], home: Home) -> tuple[list[Instance], list[str]]:
    """The instances to read, by ARN, and a line for each other one, also for one that is named and not there.

    Only active ones count; of these the one that the options name by its ARN or identity store, else those of the
    master account, else all: which of them has permission sets is known when they are asked for.
    """
    usable = [one for one in listed if one.status == _ACTIVE and one.arn and one.store_id]
    notes = [f"{one.label} is {one.status}, so it was not read" for one in listed if one not in usable]
    if home.instance_arn and all(one.arn != home.instance_arn for one in listed):
        notes.append(
            f"there is no Identity Center instance {home.instance_arn}, so another one was read; correct "
            "aws-organization-identity-center-instance-arn"
        )
    store = home.identity_store_id.rpartition("/")[2]
    for wanted in (
        [one for one in usable if home.instance_arn and one.arn == home.instance_arn],
        [one for one in usable if store and one.store_id == store],
        [one for one in usable if home.owner and one.owner == home.owner],
    ):
        if wanted:
            notes += [
                f"{one.label} is not the organization's, so it was not read" for one in usable if one not in wanted
            ]
            usable = wanted
            break
    return sorted(usable, key=lambda one: (one.arn, one.store_id)), notes
