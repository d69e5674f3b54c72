"""Tries the rights that a target needs before a sync does: the first page of each list call, which changes nothing.

What has to be tried follows from the least policy: each action of it is in `TRIED`, or in `NOT_TRIED` with the reason.
A test fails for an action that is in neither.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from raito_pipeline.aws.connection.clients import AwsClients, ServiceName, aws_call, bucket_call
from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.least_policy import READ_CONTROL_POLICIES, least_policy
from raito_pipeline.aws.readers.bucket_policies import policy_of_bucket
from raito_pipeline.aws.readers.instances import Home, Instance, choose, listed_instances
from raito_pipeline.config import AccountTarget, OrganizationTarget

Target = AccountTarget | OrganizationTarget


@dataclass(frozen=True, slots=True)
class Tried:
    """An action that was tried, where, and the error that came of it (None: it works)."""

    action: str
    region: str | None
    error: AwsError | None


class Probes:
    """Tries the actions of one target. `clients` are those of the target; each call is made once.

    `home` is what the options know of the organization's Identity Center. `bucket_policies` says whether a sync reads
    bucket policies.
    """

    def __init__(
        self, clients: AwsClients, target: Target, home: Home | None = None, *, bucket_policies: bool = True
    ) -> None:
        self._clients, self.target, self._bucket_policies = clients, target, bucket_policies
        self._home = home or Home()

    def tried(self) -> Iterator[Tried]:
        """Every action of the least policy to read that can be tried, in each region where it is needed."""
        for action in needed(self.target, bucket_policies=self._bucket_policies):
            if action in TRIED:
                yield from self._try(action)

    def _try(self, action: str) -> Iterator[Tried]:
        probe = TRIED[action]
        regions: tuple[str | None, ...] = (None,)
        if action in _REGIONAL and isinstance(self.target, AccountTarget):
            regions = self.target.regions
        for region in regions:
            try:
                made = probe(self, region)
            except AwsError as error:
                yield Tried(action, region, self._clients.in_region(error, region) if region else error)
            else:
                if made is not False:
                    yield Tried(action, region, None)

    # -- account ---------------------------------------------------------------------------------------------------

    def iam(self, _region: str | None) -> bool:
        with aws_call("iam:GetAccountAuthorizationDetails", "*"):
            self._clients.client("iam").get_account_authorization_details(MaxItems=1, Filter=["Group"])
        return True

    @cached_property
    def _bucket(self) -> tuple[str, str | None] | None:
        """The first bucket of the account and its region."""
        with aws_call("s3:ListAllMyBuckets", "*"):
            listed = self._clients.client("s3").list_buckets(MaxBuckets=1).get("Buckets", [])
        return (listed[0]["Name"], listed[0].get("BucketRegion")) if listed else None

    def buckets(self, _region: str | None) -> bool:
        return self._bucket is None or True

    def keys(self, _region: str | None) -> bool:
        if self._bucket is None:
            return False
        name, region = self._bucket
        with bucket_call(self._clients, "s3:ListBucket", name, region) as s3:
            s3.list_objects_v2(Bucket=name, MaxKeys=1)
        return True

    def bucket_tags(self, _region: str | None) -> bool:
        if self._bucket is None:
            return False
        name, region = self._bucket
        try:
            with bucket_call(self._clients, "s3:GetBucketTagging", name, region) as s3:
                s3.get_bucket_tagging(Bucket=name)
        except AwsGone:  # a bucket without tags
            return True
        return True

    def bucket_policy(self, _region: str | None) -> bool:
        if self._bucket is None:
            return False
        try:
            policy_of_bucket(self._clients, *self._bucket)
        except AwsGone:  # the bucket is gone since it was listed
            return True
        return True

    def access_points(self, region: str | None) -> bool:
        with aws_call("s3:ListAccessPoints", f"account {self.target.account_id}, {region}"):
            client = self._clients.client("s3control", region)
            client.list_access_points(AccountId=self.target.account_id, MaxResults=1)
        return True

    def databases(self, region: str | None) -> bool:
        with aws_call("glue:GetDatabases", f"account {self.target.account_id}, {region}"):
            self._clients.client("glue", region).get_databases(MaxResults=1)
        return True

    def tables(self, region: str | None) -> bool:
        client = self._clients.client("glue", region)
        with aws_call("glue:GetDatabases", f"account {self.target.account_id}, {region}"):
            databases = client.get_databases(MaxResults=1)["DatabaseList"]
        if not databases:
            return False
        with aws_call("glue:GetTables", f"account {self.target.account_id}, {region}"):
            client.get_tables(DatabaseName=databases[0]["Name"], MaxResults=1)
        return True

    # -- organization ----------------------------------------------------------------------------------------------

    @cached_property
    def _instances(self) -> list[Instance]:
        """The instances of Identity Center that a sync reads."""
        sso = Service(self._clients, "sso-admin", NEXT_TOKEN, self._sso_region)
        usable, _ = choose(listed_instances(sso), self._home)
        return usable

    @property
    def _sso_region(self) -> str | None:
        return self.target.region if isinstance(self.target, OrganizationTarget) else None

    def _of_any_instance(self, service: ServiceName, action: str, call: Callable[[Any, Instance], object]) -> bool:
        """Whether there is an instance. Raises the `AwsError` of the last one where the call works for none of them.

        An instance of an account beside the organization's refuses what a sync does not need of it.
        """
        client, failed = self._clients.client(service, self._sso_region), None
        for instance in self._instances:
            try:
                with aws_call(action, instance.arn):
                    call(client, instance)
            except AwsError as error:
                failed = error
            else:
                return True
        if failed is not None:
            raise failed
        return False

    def instances(self, _region: str | None) -> bool:
        if not self._instances:
            where, action = str(self._sso_region), "sso:ListInstances"
            text = f"{action}: there is no instance of IAM Identity Center in {where}. Correct aws-region."
            raise AwsError(text, action=action, resource=where)
        return True

    def users(self, _region: str | None) -> bool:
        return self._of_any_instance(
            "identitystore",
            "identitystore:ListUsers",
            lambda client, one: client.list_users(IdentityStoreId=one.store_id, MaxResults=1),
        )

    def groups(self, _region: str | None) -> bool:
        return self._of_any_instance(
            "identitystore",
            "identitystore:ListGroups",
            lambda client, one: client.list_groups(IdentityStoreId=one.store_id, MaxResults=1),
        )

    def permission_sets(self, _region: str | None) -> bool:
        account = self.target.account_id
        return self._of_any_instance(
            "sso-admin",
            "sso:ListPermissionSetsProvisionedToAccount",
            lambda client, one: client.list_permission_sets_provisioned_to_account(
                InstanceArn=one.arn, AccountId=account, MaxResults=1
            ),
        )

    def roots(self, _region: str | None) -> bool:
        with aws_call("organizations:ListRoots", "*"):
            self._clients.client("organizations", self._sso_region).list_roots(MaxResults=1)
        return True


TRIED: Mapping[str, Callable[[Probes, str | None], bool]] = {
    "iam:GetAccountAuthorizationDetails": Probes.iam,
    "s3:ListAllMyBuckets": Probes.buckets,
    "s3:ListBucket": Probes.keys,
    "s3:GetBucketTagging": Probes.bucket_tags,
    "s3:GetBucketPolicy": Probes.bucket_policy,
    "s3:ListAccessPoints": Probes.access_points,
    "glue:GetDatabases": Probes.databases,
    "glue:GetTables": Probes.tables,
    "sso:ListInstances": Probes.instances,
    "identitystore:ListUsers": Probes.users,
    "identitystore:ListGroups": Probes.groups,
    "sso:ListPermissionSetsProvisionedToAccount": Probes.permission_sets,
    "organizations:ListRoots": Probes.roots,
}
"""How each action is tried; the probe gives False where there is nothing to try it on."""

NOT_TRIED: Mapping[str, str] = {
    "iam:ListPolicyTags": "needs a policy",
    "s3:GetAccessPointPolicy": "needs an access point",
    "s3:ListTagsForResource": "needs an access point",
    "s3:GetAccountPublicAccessBlock": "needs a bucket policy that allows something",
    "s3:GetBucketOwnershipControls": "needs a bucket policy that allows something",
    "s3:GetBucketPublicAccessBlock": "needs a bucket policy that allows something",
    "s3:GetObject": "would read what a file holds",
    "identitystore:ListGroupMemberships": "needs a group",
    "identitystore:ListGroupMembershipsForMember": "needs a user",
    "organizations:DescribePolicy": "needs a control policy",
    "organizations:ListParents": "needs an account of the organization",
    "organizations:ListPoliciesForTarget": "needs the root of the organization",
    "sso:DescribePermissionSet": "needs a permission set",
    "sso:ListAccountAssignments": "needs a permission set",
    "sso:ListTagsForResource": "needs a permission set",
}
"""Actions to read that are not tried, and why."""

OPTIONAL = frozenset(READ_CONTROL_POLICIES.actions)
"""Actions that a sync does without."""

_REGIONAL = frozenset({"s3:ListAccessPoints", "glue:GetDatabases", "glue:GetTables"})


def needed(target: Target, *, bucket_policies: bool = True) -> tuple[str, ...]:
    """The actions that reading a target needs, sorted; with `bucket_policies`, those for bucket policies as well."""
    statements = least_policy(target, "read", bucket_policies=bucket_policies)["Statement"]
    return tuple(sorted({action for statement in statements for action in statement["Action"]}))
