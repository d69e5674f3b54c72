"""Whether a sync can work, target by target: Raito Cloud, credentials, rights, regions, log bucket, storage.

The quick form, which every `run` begins with, makes at most two calls of AWS a target (one of which the sync would
make anyway); the full form also tries the rights. Nothing is changed anywhere, a file in the storage aside.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, partial

from raito_pipeline.aws.connection.clients import AwsClients, WrongAccount, aws_call, regional_call
from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.probes import NOT_TRIED, OPTIONAL, Probes, needed
from raito_pipeline.aws.readers.cloudtrail import CloudTrailLogs
from raito_pipeline.aws.readers.instances import Home, listed_instances
from raito_pipeline.cli.summary import SyncedTarget
from raito_pipeline.config import AccountTarget, ConfigError, Options, OrganizationLink, OrganizationTarget
from raito_pipeline.config.options import ACCOUNT_CONNECTOR, ORGANIZATION_CONNECTOR
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoError, RaitoRefused
from raito_pipeline.raito.targets_sync import TargetsSync
from raito_pipeline.redaction import one_line
from raito_pipeline.storage import Store
from raito_pipeline.storage.probe import StorageUnusable, require_writable

Target = AccountTarget | OrganizationTarget
LOGIN = "Raito Cloud login"
_AT_ONCE = 8


class Stops(StrEnum):
    """What a problem keeps from working."""

    EVERYTHING = "everything"
    TARGET = "target"
    USAGE = "usage"
    PART = "part"


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """One thing that was checked of a place (None: of all). `problem` says what is wrong and what to do (None: it
    works), `not_tried` why it was not checked."""

    place: SyncedTarget | None
    what: str
    stops: Stops
    problem: str | None = None
    not_tried: str | None = None


def nothing_to_sync(options: Options) -> str | None:
    """Why a configuration has nothing to sync, and what to do; None where it has something."""
    if options.organizations or options.open_accounts:
        return None
    if options.accounts:
        return f"AWS has closed all accounts that {options.file} names"
    if options.pipeline.discover is not None:
        return f"{options.file} names no target, and no account was discovered yet: `raito-pipeline discover --write`"
    return (
        f"no selected target of {options.file} is of {ACCOUNT_CONNECTOR} or {ORGANIZATION_CONNECTOR}: add one "
        "(`raito-pipeline add-target`)"
    )


@dataclass
class Checks:
    """The checks of one configuration; logins and listings that targets share are made once."""

    services: Services
    full: bool
    _raito: dict[int, "_RaitoCloud"] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _targets_sync: TargetsSync = field(default_factory=TargetsSync)
    _centers: dict[tuple[str, OrganizationLink], TargetCheck] = field(default_factory=dict)
    _center_lock: threading.Lock = field(default_factory=threading.Lock)

    def findings(self, places: Sequence[SyncedTarget]) -> tuple[TargetCheck, ...]:
        """Everything that was checked, in the order of the places; the storage comes first."""
        nothing = nothing_to_sync(self.services.options)
        if nothing is not None:
            return (TargetCheck(None, "targets", Stops.EVERYTHING, nothing),)
        storage = self._storage()
        if storage.problem is not None:
            return (storage,)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return (storage, *(finding for results in pool.map(self._place, places) for finding in results))

    def _storage(self) -> TargetCheck:
        try:
            require_writable(Store.open(self.services.options.pipeline.storage))
        except StorageUnusable as error:
            return TargetCheck(None, "storage", Stops.EVERYTHING, str(error))
        return TargetCheck(None, "storage", Stops.EVERYTHING)

    def _place(self, place: SyncedTarget) -> tuple[TargetCheck, ...]:
        target = self._target(place)
        if target is None:
            return ()
        results = [*self._raito_cloud(place, target)]
        if not results or results[0].problem is None:
            results += self._aws(place, target)
        return tuple(results)

    def _target(self, place: SyncedTarget) -> Target | None:
        if place.organization:
            return self.services.organization_target(place.key)
        return self.services.account(place.key)

    # -- Raito Cloud -----------------------------------------------------------------------------------------------

    def _raito_cloud(self, place: SyncedTarget, target: Target) -> Iterator[TargetCheck]:
        try:
            cloud = self._cloud(self.services.raito(target))
        except RaitoError as error:
            yield TargetCheck(place, LOGIN, Stops.TARGET, str(error))
            return
        yield _try(place, LOGIN, Stops.TARGET, cloud.login)
        if cloud.refused is not None:
            return
        source = target.data_source_id if isinstance(target, AccountTarget) else None
        if source is not None:
            result = _try(place, f"data source {source}", Stops.TARGET, lambda: cloud.require_data_source(source))
            yield result
            if result.problem is not None:  # the store is looked for beside its data source first
                return
        store = target.identity_store_id
        if store is not None and not target.skip_identity_store_sync:
            wanted = f"identity store {store}"
            yield _try(place, wanted, Stops.TARGET, lambda: cloud.require_identity_store(store, source))

    def _cloud(self, client: RaitoClient) -> "_RaitoCloud":
        with self._lock:
            sync = self.services.targets_sync or self._targets_sync
            return self._raito.setdefault(id(client), _RaitoCloud(client, sync))

    # -- AWS -------------------------------------------------------------------------------------------------------

    def _aws(self, place: SyncedTarget, target: Target) -> Iterator[TargetCheck]:
        credentials = _try(place, "AWS credentials", Stops.TARGET, lambda: self.services.aws(target))
        yield credentials
        if credentials.problem is not None:
            return
        clients = self.services.aws(target)
        if isinstance(target, AccountTarget):
            if self.full:
                yield from self._regions(place, target, clients)
                yield from self._identity_center(place, target)
            yield from self._log_bucket(place, target, clients)
        if self.full:
            yield from self._rights(place, target, clients)

    def _regions(self, place: SyncedTarget, target: AccountTarget, clients: AwsClients) -> Iterator[TargetCheck]:
        def enabled(region: str) -> None:
            with regional_call(clients, "sts:GetCallerIdentity", region, region):
                clients.client("sts", region).get_caller_identity()

        for region in target.regions:
            yield _try(place, f"region {region}", Stops.PART, partial(enabled, region))

    def _identity_center(self, place: SyncedTarget, target: AccountTarget) -> Iterator[TargetCheck]:
        """Whether the account links the instance that is there: asked once for all that link it alike."""
        link = target.organization
        key = partitions.organization_of(self.services.options, target.partition)
        if link is None or key is None:
            return
        with self._center_lock:
            if (key, link) not in self._centers:
                self._centers[key, link] = _try(
                    place,
                    "Identity Center",
                    Stops.PART,
                    lambda: _require_instance(self.services.organization_aws(key), link),
                )
        yield replace(self._centers[key, link], place=place)

    def _log_bucket(self, place: SyncedTarget, target: AccountTarget, clients: AwsClients) -> Iterator[TargetCheck]:
        bucket = target.aws_s3_cloudtrail_bucket
        if bucket is None or target.skip_data_usage_sync:
            return
        try:
            with aws_call("s3:ListBucket", f"arn:{target.aws_partition}:s3:::{bucket}"):
                clients.client("s3", target.regions[0]).list_objects_v2(Bucket=bucket, MaxKeys=1)
        except AwsError as given:
            error = _named(given)
            self.services.refuse_logs(target, error)
            yield TargetCheck(place, f"log bucket {bucket}", Stops.USAGE, str(error))
            return
        yield TargetCheck(place, f"log bucket {bucket}", Stops.USAGE)
        if self.full:
            yield _try(place, "trail folder", Stops.USAGE, lambda: _require_trail(clients, target, bucket))

    def _rights(self, place: SyncedTarget, target: Target, clients: AwsClients) -> Iterator[TargetCheck]:
        works: dict[str, None] = {}
        policies = self.services.options.pipeline.reads_bucket_policies
        home = Home()
        if isinstance(target, OrganizationTarget):
            home = self.services.home_of_organization(partitions.key_of_organization(target))
        for tried in Probes(clients, target, home, bucket_policies=policies).tried():
            if tried.error is None:
                works[tried.action] = None
            elif tried.action in OPTIONAL:
                without = f"a sync does without it; {tried.error}"
                yield TargetCheck(place, tried.action, Stops.PART, not_tried=without)
            else:
                where = f" in {tried.region}" if tried.region else ""
                yield TargetCheck(place, f"{tried.action}{where}", Stops.PART, str(tried.error))
        if works:
            yield TargetCheck(place, f"rights: {', '.join(works)}", Stops.PART)
        skipped = [action for action in needed(target, bucket_policies=policies) if action in NOT_TRIED]
        if skipped:
            reason = "each needs something that only a sync knows, or would read what files hold"
            yield TargetCheck(place, f"rights: {', '.join(skipped)}", Stops.PART, not_tried=reason)


class _RaitoCloud:
    """One user's Raito Cloud: whether the login works, and which identity stores there are, asked once."""

    def __init__(self, client: RaitoClient, sync: TargetsSync) -> None:
        self._client, self._sync = client, sync
        self._lock = threading.Lock()
        self._tried = False
        self._stores: frozenset[str] | None = None
        self.refused: RaitoError | None = None

    def login(self) -> None:
        """Log in, and ask whether this version is supported, once. Raises `RaitoError`."""
        with self._lock:
            if not self._tried:
                self._tried = True
                try:
                    self._client.login()
                    self._sync.require_version(self._client)
                except RaitoError as error:
                    self.refused = error
        if self.refused is not None:
            raise self.refused

    def require_data_source(self, identifier: str) -> None:
        """Raises `RaitoError`, or `LookupError` where the data source is not there."""
        try:
            self._linked(identifier)
        except RaitoRefused as error:
            if error.kind != "NotFoundError":
                raise
            raise LookupError(f"Raito Cloud has no data source {identifier}. Correct data-source-id.") from error

    def require_identity_store(self, identifier: str, data_source: str | None) -> None:
        """Raises `RaitoError`, or `LookupError` where the store is neither linked to the data source nor listed."""
        if data_source is not None and identifier in self._linked(data_source):
            return
        if identifier not in self._listed():
            raise LookupError(f"Raito Cloud has no identity store {identifier}. Correct identity-store-id.")

    @cache  # noqa: B019 - it lives as long as one check
    def _linked(self, data_source: str) -> frozenset[str]:
        answer = self._client.call("DataSource", {"id": data_source})
        return frozenset(str(store["id"]) for store in answer.get("identityStores") or ())

    def _listed(self) -> frozenset[str]:
        with self._lock:
            if self._stores is None:
                self._stores = frozenset(str(node["id"]) for node in self._client.pages("IdentityStores"))
            return self._stores


def _named(error: AwsError) -> AwsError:
    """The error of the log bucket with the option that is wrong where the bucket does not exist."""
    if not isinstance(error, AwsGone):
        return error
    text = f"{error} Correct aws-s3-cloudtrail-bucket."
    return AwsGone(text, action=error.action, resource=error.resource, code=error.code)


def _require_instance(clients: AwsClients, link: OrganizationLink) -> None:
    """Raises `AwsError`, or `LookupError` where Identity Center has not what an account says of it."""
    instances = listed_instances(Service(clients, "sso-admin", NEXT_TOKEN, link.region))
    instance = next((one for one in instances if one.arn == link.instance_arn), None)
    if instance is None:
        there = ", ".join(one.arn for one in instances) or "none"
        raise LookupError(
            f"{link.region} has no Identity Center instance {link.instance_arn} (there is: {there}). Correct "
            "aws-organization-identity-center-instance-arn or aws-organization-region."
        )
    if instance.store_id != link.identity_store_id:
        raise LookupError(
            f"the identity store of {instance.arn} is {instance.store_id}, and not {link.identity_store_id}. Correct "
            "aws-organization-identity-store, which is the store's id in AWS."
        )


def _require_trail(clients: AwsClients, target: AccountTarget, bucket: str) -> None:
    region = target.regions[0]
    logs = CloudTrailLogs(clients, bucket, region, target.account_id, region)
    if not logs.search(everywhere=False):
        logs.search(everywhere=True)
    problem = logs.missing()
    if problem is not None:
        raise LookupError(problem)


def _try(place: SyncedTarget, what: str, stops: Stops, work: Callable[[], object]) -> TargetCheck:
    """A finding of what `work` raises; whatever it is, the other checks go on."""
    try:
        work()
    except (AwsError, WrongAccount, RaitoError, ConfigError, LookupError) as error:
        return TargetCheck(place, what, stops, str(error.args[0]) if isinstance(error, LookupError) else str(error))
    except Exception as error:  # the edge of a check: a broken profile raises whatever its parser does
        return TargetCheck(place, what, stops, f"{type(error).__name__}: {one_line(str(error))}")
    return TargetCheck(place, what, stops)
