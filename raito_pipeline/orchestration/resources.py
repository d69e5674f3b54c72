"""What the assets work with: options, stored tables, AWS and Raito Cloud, made once a process and kept.

`Services` is a plain object that Dagster hands to every asset as a resource. Making it contacts nothing.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from raito_pipeline.aws.connection.clients import AwsClients, AwsError
from raito_pipeline.aws.readers.instances import Home
from raito_pipeline.config import AccountTarget, Options, OrganizationTarget
from raito_pipeline.config.discovery import AssumedRole
from raito_pipeline.orchestration.center_listings import CenterListings
from raito_pipeline.orchestration.deferred_values import DeferredValues
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.partitioning.partitions import OrganizationPartition
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.connection import Connection
from raito_pipeline.raito.targets_sync import TargetsSync

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how far it is, and (where known) how far it will go."""

_CONCURRENCY = 5
"""connections that read an organization at a time; for accounts, `aws-concurrency` says how many"""


def silent(what: str, done: int, total: int | None) -> None:
    """A progress listener that listens to nothing."""


@dataclass
class Services:
    """Everything an asset needs besides its partition. Thread-safe; connections are opened on first use."""

    options: Options
    progress: Progress = silent
    targets_sync: TargetsSync | None = None
    """the sync that all runs of this process belong to; None where each run is one of its own"""
    center_listings: CenterListings = field(default_factory=CenterListings)
    """what pushes of this process have read of Identity Center for all accounts of an organization"""
    _aws: dict[tuple[str | None, str | None, AssumedRole | None], AwsClients] = field(default_factory=dict)
    _raito: dict[tuple[str | None, str], RaitoClient] = field(default_factory=dict)
    _unusable_logs: dict[str, AwsError] = field(default_factory=dict)
    _deferred: DeferredValues = field(init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._deferred = DeferredValues(self.options.pipeline)

    def account(self, partition: str) -> AccountTarget:
        """The target of an account partition."""
        return self.options.account(partition)

    def organization(self, key: str) -> OrganizationPartition:
        """The organization of a partition key. Raises `KeyError` where `raito.yml` names none such."""
        return self._organizations()[key]

    def accounts_of_organization(self, key: str) -> frozenset[str]:
        """The ids of the accounts of `raito.yml` that belong to an organization, whatever is selected of them."""
        return partitions.members_of_organization(self.options, key)

    def organization_of(self, account: str) -> OrganizationPartition | None:
        """The organization that an account partition links, or None."""
        key = partitions.organization_of(self.options, account)
        return None if key is None else self.organization(key)

    def organization_target(self, key: str) -> OrganizationTarget | None:
        """The target of an organization partition; None where only accounts link it."""
        name = self.organization(key).target
        return next((t for t in self.options.organizations if t.name == name), None)

    def home_of_organization(self, key: str) -> Home:
        """What `raito.yml` says of the instance of Identity Center that an organization has."""
        linked, target = self.organization(key), self.organization_target(key)
        return Home(linked.instance_arn or "", linked.identity_store_id or "", target.account_id if target else "")

    def aws(self, target: AccountTarget | OrganizationTarget) -> AwsClients:
        """The AWS clients of a target, checked once to reach the account that `raito.yml` names.

        Raises `WrongAccount` or `AwsError`.
        """
        target.check_usable()
        region = target.regions[0] if isinstance(target, AccountTarget) else target.region
        concurrency = target.aws_concurrency if isinstance(target, AccountTarget) else _CONCURRENCY
        role = target.role if isinstance(target, AccountTarget) else None
        clients = self._clients(target.profile, region, concurrency, role)
        clients.require_account(target.account_id)
        return clients

    def organization_aws(self, key: str) -> AwsClients:
        """The AWS clients that read an organization. Raises `WrongAccount` or `AwsError`."""
        target = self.organization_target(key)
        if target is not None:
            return self.aws(target)
        organization = self.organization(key)
        return self._clients(organization.profile, organization.region)

    def discovery_aws(self) -> AwsClients:
        """The AWS clients that list the accounts of the organization. Raises `WrongAccount` or `AwsError`."""
        discovery = self.options.pipeline.discover
        targets = (*self.options.organizations, *self.options.other_organizations)
        profile = None if discovery is None else discovery.profile
        if targets and profile in (None, targets[0].profile):
            return self.aws(targets[0])
        return self._clients(profile, None if discovery is None else discovery.region)

    def raito(self, target: AccountTarget | OrganizationTarget) -> RaitoClient:
        """The Raito Cloud client of a target, logged in on first use. Raises `LoginNotReadable`."""
        # Where nobody logs in, nothing of the login is needed.
        skipped = self.options.skip_authentication
        login = target if skipped else self._deferred.login(target)
        connection = Connection(self.options, login, allow_plain_http=self.options.pipeline.allow_plain_http)
        with self._lock:
            key = (login.api_user, connection.domain)
            if key not in self._raito:
                self._raito[key] = RaitoClient(connection)
            return self._raito[key]

    def refuse_logs(self, target: AccountTarget, error: AwsError) -> None:
        """Remember that the log bucket of a target cannot be listed, so that no region tries it again."""
        self._unusable_logs[target.partition] = error

    def require_logs(self, target: AccountTarget) -> None:
        """Raise the `AwsError` with which the check before this sync failed at the log bucket, if it did."""
        error = self._unusable_logs.get(target.partition)
        if error is not None:
            raise error

    def secrets(self) -> frozenset[str]:
        """What must never be seen in a text: the secrets of the file, tokens of Raito Cloud, and keys of AWS in use."""
        with self._lock:
            raito, aws = list(self._raito.values()), list(self._aws.values())
        return frozenset(
            text
            for texts in (
                self.options.secrets,
                *(client.secrets() for client in raito),
                *(clients.secrets() for clients in aws),
            )
            for text in texts
            if text
        )

    def _clients(
        self,
        profile: str | None,
        region: str | None,
        concurrency: int = _CONCURRENCY,
        role: AssumedRole | None = None,
    ) -> AwsClients:
        with self._lock:
            key = (profile, region, role)
            if key not in self._aws:
                pipeline = self.options.pipeline
                self._aws[key] = AwsClients(
                    profile,
                    region,
                    concurrency,
                    pipeline.aws_attempts,
                    allow_plain_http=pipeline.allow_plain_http,
                    role=role,
                )
            return self._aws[key]

    def _organizations(self) -> Mapping[str, OrganizationPartition]:
        return {each.key: each for each in partitions.organizations(self.options)}
