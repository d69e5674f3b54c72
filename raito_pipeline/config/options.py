"""Every option of `raito.yml`, declared once: attribute, kind, default, spellings, explanation.

The frozen objects below, made of the groups of `groups.py`, are what the rest of the pipeline works with. Each
annotated field is one option; error texts, `raito-pipeline info` and `docs/options.md` are all made from these
declarations (`describe.py`), and `load.py` reads the file by walking them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from raito_pipeline.config import kinds
from raito_pipeline.config.deferred import ValueSource
from raito_pipeline.config.discovery import AssumedRole, Discovery
from raito_pipeline.config.groups import (
    AccessOptions,
    BucketPolicyOptions,
    Locks,
    Login,
    OperationOptions,
    OrganizationLink,
    Pairs,
    PushOptions,
    RaitoService,
    Stages,
    TagKeys,
    UsageOptions,
    UsageWindowOptions,
)
from raito_pipeline.config.option import FromEnvironment, Option
from raito_pipeline.config.problems import ConfigError, Problem
from raito_pipeline.config.regions import aws_partition

ACCOUNT_CONNECTOR = "raito-io/cli-plugin-aws-account"
ORGANIZATION_CONNECTOR = "raito-io/cli-plugin-aws-organization"


class Shared(Login, Stages, TagKeys):
    """Options that stand at the top of the file for all targets, or in a target, which then wins for itself."""

    delete_untouched: Annotated[
        bool,
        Option(kinds.FLAG, "Removes from Raito Cloud what AWS no longer has. Only ever done after a complete read."),
    ] = True
    replace_groups: Annotated[
        bool, Option(kinds.FLAG, "Replaces the groups of an imported user instead of adding to them.")
    ] = True
    delete_temp_files: Annotated[
        bool, Option(kinds.FLAG, "Removes the files that were sent to Raito Cloud after the import.")
    ] = True
    file_backup_location: Annotated[
        str | None,
        Option(
            kinds.PATH,
            "A folder that keeps a copy of the files exchanged with Raito Cloud; `~/` is the home folder.",
            default="no copies",
        ),
    ] = None
    maximum_backups_per_target: Annotated[
        int,
        Option(
            kinds.whole(0, 1_000_000, 5),
            "How many copies a target keeps in `file-backup-location`; the oldest go first. 0 keeps all.",
        ),
    ] = 0
    maximum_file_size: Annotated[
        int,
        Option(
            kinds.SIZE,
            "The size in bytes that no usage file sent to Raito Cloud passes; more usage means more files.",
            default="512mb",
        ),
    ] = 512_000_000


class Target(Shared):
    """What every target has, whatever its connector."""

    name: Annotated[
        str,
        Option(
            kinds.NAME,
            "The target's name in messages and in `only-targets`; no two targets share one.",
            default="the connector's name",
        ),
    ]
    connector_name: Annotated[
        str,
        Option(
            kinds.CONNECTOR,
            f"The connector of the Raito CLI that the target is for: `{ACCOUNT_CONNECTOR}` or"
            f" `{ORGANIZATION_CONNECTOR}`. Targets of others are skipped.",
            required=True,
        ),
    ]
    data_source_id: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The id of the data source in Raito Cloud, which no other target has. An account needs it unless data"
            " source, data access and data usage are all skipped.",
        ),
    ] = None
    identity_store_id: Annotated[
        str | None,
        Option(
            kinds.TEXT, "The id of the identity store in Raito Cloud. Required unless `skip-identity-store-sync` is on."
        ),
    ] = None
    locks: Locks = Locks()
    line: int | None = None
    placeholders: tuple[Problem, ...] = ()

    def check_usable(self) -> None:
        """Raise `ConfigError` where a value was left as a placeholder such as `<account id>`."""
        if self.placeholders:
            raise ConfigError(self.placeholders)


class OrganizationTarget(Target):
    """A target of the connector `raito-io/cli-plugin-aws-organization`: one Identity Center and its people."""

    account_id: Annotated[
        str,
        Option(
            kinds.ACCOUNT_ID, "The master account of the organization, 12 digits.", ("aws-account-id",), required=True
        ),
    ]
    profile: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The AWS profile that reaches the master account.",
            ("aws-profile",),
            default="the AWS SDK's default",
        ),
    ] = None
    region: Annotated[
        str,
        Option(
            kinds.REGION_NAME,
            "The region of Identity Center.",
            ("aws-region",),
            default="the profile's region",
        ),
    ]

    @property
    def aws_partition(self) -> str:
        """The partition of AWS, as ARNs name it: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, ..."""
        return aws_partition(self.region)


class AccountTarget(Target, AccessOptions, PushOptions, UsageOptions):
    """A target of the connector `raito-io/cli-plugin-aws-account`: one AWS account."""

    partition: str
    account_id: Annotated[
        str,
        Option(
            kinds.ACCOUNT_ID,
            "The account, 12 digits. A sync refuses to start where the credentials reach another one.",
            ("aws-account-id",),
            required=True,
        ),
    ]
    profile: Annotated[
        str | None,
        Option(
            kinds.TEXT, "The AWS profile that reaches the account.", ("aws-profile",), default="the AWS SDK's default"
        ),
    ] = None
    role: AssumedRole | None = None
    """of a discovered account: assumed with the credentials of `profile`"""
    discovered: bool = False
    """whether it stands in the file of discovered targets, not in `raito.yml`"""
    closed: str | None = None
    """of a discovered account: since when AWS says that it is closed (YYYY-MM-DD); it is not synced any more"""


class Pipeline(BucketPolicyOptions, UsageWindowOptions, OperationOptions):
    """What only this pipeline knows: it stands under `pipeline:`, so that the same file still serves the Raito CLI."""

    storage: Annotated[
        str,
        Option(
            kinds.STORAGE,
            "Where the tables are stored: a path (a relative one counts from the file's folder) or an address "
            "`s3://BUCKET/PREFIX`.",
            default="`data/` beside the file",
        ),
    ]
    storage_profile: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The AWS profile that stores the tables on S3: one of keys, of a role (chains of roles, too), or with an "
            "`endpoint_url`. `raito-pipeline info --iam-policy storage` prints what it must be granted.",
            default="the AWS SDK's default",
        ),
    ] = None
    storage_region: Annotated[
        str | None,
        Option(
            kinds.REGION_NAME,
            "The region of the bucket of the tables.",
            default="that of `storage-profile` or of the AWS SDK's default",
        ),
    ] = None
    mode: Annotated[
        Literal["apply", "approve", "plan"],
        Option(
            kinds.choice("apply", "approve", "plan"),
            "`apply` pushes access controls to AWS; `approve` stops after the plan, which waits until somebody makes "
            "it by its id (`raito-pipeline apply --plan ID`, or access_push_results in Dagster); `plan` changes "
            "nothing in AWS at all.",
        ),
    ] = "apply"
    drift_schedule: Annotated[
        str | None,
        Option(
            kinds.CRON,
            "When (UTC) to look, besides syncs, whether AWS is as the last push left it: IAM and what a push reads are "
            "read again, the check `no_drift_since_last_push` says what somebody changed by hand. Nothing is pushed.",
            default="with each sync only",
        ),
    ] = None
    wait_for_sync_minutes: Annotated[
        int,
        Option(
            kinds.whole(0, 1440, 10),
            "How many minutes a run waits where another sync of its account is under way, before it gives up.",
        ),
    ] = 10
    max_push_losses: Annotated[
        int | None,
        Option(
            kinds.whole(0, 1_000_000, 200),
            "How often people may lose access by one push (detached, no longer named by a document, their role or "
            "policy narrowed or deleted). A push that would take more takes nothing, says so, and makes the rest. "
            "`max-push-deletions` is the older name.",
            ("max-push-losses", "max-push-deletions"),
            default="no limit",
        ),
    ] = None
    max_push_loss_share: Annotated[
        float,
        Option(
            kinds.SHARE,
            "The share of the access controls in AWS of an account that may lose access by one push, if they are more "
            "than 10. Beyond it nothing is taken, as with `max-push-losses`.",
        ),
    ] = 0.5
    max_import_deletions: Annotated[
        float,
        Option(
            kinds.SHARE,
            "The share of what Raito Cloud holds (data objects, access providers, users or groups of a target) that "
            "one import may remove, if it is more than 10. One that would remove more removes nothing, and says so.",
        ),
    ] = 0.5
    unchanged_imports_hours: Annotated[
        int,
        Option(
            kinds.whole(0, 168, 24),
            "For how many hours an import is not sent again when it says just what Raito Cloud took over last. What "
            "somebody changes in Raito Cloud in imported objects stays that long. 0: it is sent at each sync.",
        ),
    ] = 0
    removed_regions: Annotated[
        tuple[str, ...],
        Option(
            kinds.PLACES,
            "Regions that were synced before and are meant to be gone from `aws-regions`, as ACCOUNT/REGION: what they "
            "hold is removed from Raito Cloud. Without this it stays, and is said.",
        ),
    ] = ()
    secrets_region: Annotated[
        str | None,
        Option(
            kinds.REGION_NAME,
            "The region of `{{secretsmanager:...}}` and `{{ssm:...}}`.",
            default="that of the ARN, of `secrets-profile` or of the AWS SDK's default",
        ),
    ] = None
    secrets_profile: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The AWS profile that reads `{{secretsmanager:...}}` and `{{ssm:...}}`. It needs "
            "`secretsmanager:GetSecretValue` or `ssm:GetParameter` (and `kms:Decrypt` for a key of your own).",
            default="the AWS SDK's default",
        ),
    ] = None
    aws_attempts: Annotated[
        int,
        Option(
            kinds.whole(1, 50, 10),
            "How often a call to AWS is tried in all before it counts as failed, with growing pauses in between.",
        ),
    ] = 10
    allow_plain_http: Annotated[
        bool,
        Option(
            kinds.FLAG,
            "Lets `raito-url-override`, `alert-webhook`, the storage on S3, and `endpoint_url` of AWS profiles, be "
            "plain http:// on another machine than this one, where whoever listens reads passwords and access.",
        ),
    ] = False
    s3_inventory: Annotated[
        Pairs,
        Option(
            kinds.S3_LOCATION,
            "Per bucket, the address `s3://BUCKET/PREFIX/` of its S3 Inventory, which is then read in place of "
            "listing the bucket. It has to be of the whole bucket, and not of a prefix. A mapping of bucket names to "
            "addresses.",
            default="none: buckets are listed",
        ),
    ] = ()
    discover: Discovery | None = None
    """which accounts of the organization become targets by themselves; None = only those that the file names"""
    discovered_file: str = ""
    """where these are kept; empty without `discover`"""


class General(RaitoService):
    """Options that stand only at the top of the file."""

    only_targets: Annotated[
        tuple[str, ...], Option(kinds.TEXTS, "The names of the targets to sync.", default="all targets")
    ] = ()
    cron: Annotated[
        str | None, Option(kinds.CRON, "When to sync, as a cron expression in UTC. At most one sync an hour.")
    ] = None
    frequency: Annotated[
        int,
        Option(
            kinds.MINUTES,
            "Minutes from the start of one sync of an account to that of the next, at least 60. The first comes one "
            "interval after the daemon first looked, unless `sync-at-startup` is on. Not used where `cron` is given.",
            default="no regular sync",
        ),
    ] = 0
    sync_at_startup: Annotated[
        bool,
        Option(
            kinds.FLAG,
            "Syncs once each time Dagster loads the code location, besides the other times, unless a sync began within "
            "the last hour.",
        ),
    ] = False
    disable_websocket: Annotated[
        bool,
        Option(
            kinds.FLAG,
            "Does not listen for changes in Raito Cloud between the syncs: `raito-pipeline listen` ends at once, and "
            "Dagster has no sensor for them.",
        ),
    ] = False
    disable_log_forwarding: Annotated[bool, Option(kinds.FLAG, "Sends no task logs to Raito Cloud.")] = False
    disable_log_forwarding_identity_store_sync: Annotated[
        bool, Option(kinds.FLAG, "Sends no logs of the identity store task.")
    ] = False
    disable_log_forwarding_data_source_sync: Annotated[
        bool, Option(kinds.FLAG, "Sends no logs of the data source task.")
    ] = False
    disable_log_forwarding_data_access_sync: Annotated[
        bool, Option(kinds.FLAG, "Sends no logs of the data access task.")
    ] = False
    disable_log_forwarding_data_usage_sync: Annotated[
        bool, Option(kinds.FLAG, "Sends no logs of the data usage task.")
    ] = False


class OtherAccount(NamedTuple):
    """An account target as far as another target of the file has to know it."""

    name: str
    account_id: str
    partition: str


class Options(General):
    """A whole configuration. Per-target options are resolved onto the targets; nothing has to look them up here.

    `accounts` and `organizations` are the targets to sync, in the order of the file. `other_organizations` are those
    that `only-targets` leaves out: they keep the names of organization partitions the same, whatever is selected.
    `other_accounts` are the account targets that it leaves out: they are not gone from the file, and what is theirs in
    an account stays theirs.
    `other_members` are their ids, each with how it links its organization: what is stored of an organization is of all
    accounts of the file, since the next sync of any of them takes it from there.
    """

    file: str
    accounts: tuple[AccountTarget, ...] = ()
    organizations: tuple[OrganizationTarget, ...] = ()
    other_organizations: tuple[OrganizationTarget, ...] = ()
    other_accounts: tuple[OtherAccount, ...] = ()
    other_members: tuple[tuple[str, OrganizationLink], ...] = ()
    pipeline: Pipeline
    warnings: tuple[Problem, ...] = ()
    from_environment: tuple[FromEnvironment, ...] = ()

    @property
    def targets(self) -> tuple[AccountTarget | OrganizationTarget, ...]:
        """All targets to sync, organizations first: accounts refer to their people."""
        return (*self.organizations, *self.accounts)

    @cached_property
    def accounts_by_partition(self) -> Mapping[str, AccountTarget]:
        """The accounts to sync by their partition keys."""
        return {target.partition: target for target in self.accounts}

    @cached_property
    def every_account(self) -> tuple[OtherAccount, ...]:
        """All account targets of the file, whether they are selected or not: what is stored of them is theirs."""
        selected = (OtherAccount(each.name, each.account_id, each.partition) for each in self.accounts)
        return (*selected, *self.other_accounts)

    def others_of_account(self, target: AccountTarget) -> tuple[OtherAccount, ...]:
        """The other targets of the file that have the same account, whether they are selected or not."""
        every = self.every_account
        return tuple(o for o in every if o.account_id == target.account_id and o.partition != target.partition)

    @property
    def open_accounts(self) -> tuple[AccountTarget, ...]:
        """The account targets to sync: all but those of accounts that AWS has closed."""
        return tuple(target for target in self.accounts if target.closed is None)

    @property
    def secrets(self) -> frozenset[str]:
        """What it gives that must never be seen in a text: passwords of Raito Cloud, and the address of the webhook."""
        given = (self.pipeline.alert_webhook, *(target.api_secret for target in self.targets))
        return frozenset(text for each in given if each is not None and (text := each.get_secret_value()))

    @property
    def placeholders(self) -> tuple[Problem, ...]:
        """Values of the targets that were left as placeholders such as `<account id>`."""
        return tuple(problem for target in self.targets for problem in target.placeholders)

    def check_usable(self, environ: Mapping[str, str] = os.environ) -> None:
        """Raise `ConfigError` for what no sync can work with: placeholders, and login variables that are not set."""
        problems = (*self.placeholders, *self._unset(environ))
        if problems:
            raise ConfigError(problems)

    def _unset(self, environ: Mapping[str, str]) -> tuple[Problem, ...]:
        """The variables of logins that are not set, each once: targets share most of them."""
        if self.skip_authentication:
            return ()
        missing = [
            each.problem(f"{each.reference} to be set")
            for target in self.targets
            for each in target.deferred
            if each.reference.source is ValueSource.ENVIRONMENT and each.reference.name not in environ
        ]
        return tuple(dict.fromkeys(missing))

    def account(self, partition: str) -> AccountTarget:
        """The account target of the partition key `partition`. Raises KeyError where there is none."""
        if partition in self.accounts_by_partition:
            return self.accounts_by_partition[partition]
        known = ", ".join(target.partition for target in self.accounts)
        raise KeyError(f'no account target has the partition "{partition}"; there are: {known}')
