"""Every option of `raito.yml`, declared once: attribute, kind, default, spellings, explanation.

The frozen objects below are what the rest of the pipeline works with. Each annotated field is one option; error texts,
`raito-pipeline info` and `docs/options.md` are all made from these declarations (`describe.py`), and `load.py` reads
the file by walking them. An attribute is named like its option with `_` for `-`, or else its `Option` names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from raito_pipeline.config import kinds
from raito_pipeline.config.kinds import Kind
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.config.problems import ConfigError, Problem
from raito_pipeline.config.regions import aws_partition

ACCOUNT_CONNECTOR = "raito-io/cli-plugin-aws-account"
ORGANIZATION_CONNECTOR = "raito-io/cli-plugin-aws-organization"

_ROLE_NAME_PART = kinds.name_part("A-Za-z0-9+=,.@_-", "letters, digits and + = , . @ _ -")
_SSO_NAME_PART = kinds.name_part(
    "A-Za-z0-9+=,.@_-", "letters, digits, + = , . @ _ - and `#account#`", variables=("#account#",)
)
_ACCESS_POINT_NAME_PART = kinds.name_part("a-z0-9-", "lower-case letters, digits and -")


@dataclass(frozen=True)
class Option:
    """What is known of an option besides its attribute's type and default.

    `names`: its spellings, the preferred one first; none = the attribute's name with `-`. `default`: worded, where the
    plain value would not tell. `required`: a target without it cannot work.
    """

    kind: Kind
    text: str
    names: tuple[str, ...] = ()
    default: str | None = None
    required: bool = False


@dataclass(frozen=True)
class Declared:
    """An option together with the attribute that holds it."""

    attribute: str
    option: Option
    default: Any

    @property
    def names(self) -> tuple[str, ...]:
        return self.option.names or (self.attribute.replace("_", "-"),)

    @property
    def name(self) -> str:
        return self.names[0]


class Settings(BaseModel):
    """A frozen group of options."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def declared(model: type[Settings]) -> Iterator[Declared]:
    """The options that `model` itself and its bases declare, in the order of declaration."""
    for attribute, info in model.model_fields.items():
        for extra in info.metadata:
            if isinstance(extra, Option):
                yield Declared(attribute, extra, None if info.is_required() else info.default)


Patterns = tuple[NamePattern, ...]
Pairs = tuple[tuple[str, str], ...]


class Locks(Settings):
    """Which parts of imported access providers cannot be edited in Raito Cloud (`lock-...`, `fully-lock-...`)."""

    lock_all_who: Annotated[
        bool, Option(kinds.FLAG, "Locks who has the access, for all imported access providers.")
    ] = False
    lock_who_by_name: Annotated[
        Patterns, Option(kinds.PATTERNS, "Locks who has the access where the access provider's whole name matches.")
    ] = ()
    lock_who_by_tag: Annotated[
        tuple[str, ...], Option(kinds.TAGS, "Locks who has the access where the access provider has one of these tags.")
    ] = ()
    lock_who_when_incomplete: Annotated[
        bool, Option(kinds.FLAG, "Locks who has the access where the access provider is incomplete.")
    ] = False
    lock_all_inheritance: Annotated[
        bool, Option(kinds.FLAG, "Locks the inheritance, for all imported access providers.")
    ] = False
    lock_inheritance_by_name: Annotated[
        Patterns, Option(kinds.PATTERNS, "Locks the inheritance where the access provider's whole name matches.")
    ] = ()
    lock_inheritance_by_tag: Annotated[
        tuple[str, ...], Option(kinds.TAGS, "Locks the inheritance where the access provider has one of these tags.")
    ] = ()
    lock_inheritance_when_incomplete: Annotated[
        bool, Option(kinds.FLAG, "Locks the inheritance where the access provider is incomplete.")
    ] = False
    lock_all_what: Annotated[bool, Option(kinds.FLAG, "Locks what is accessed, for all imported access providers.")] = (
        False
    )
    lock_what_by_name: Annotated[
        Patterns, Option(kinds.PATTERNS, "Locks what is accessed where the access provider's whole name matches.")
    ] = ()
    lock_what_by_tag: Annotated[
        tuple[str, ...], Option(kinds.TAGS, "Locks what is accessed where the access provider has one of these tags.")
    ] = ()
    lock_what_when_incomplete: Annotated[
        bool, Option(kinds.FLAG, "Locks what is accessed where the access provider is incomplete.")
    ] = False
    lock_all_names: Annotated[bool, Option(kinds.FLAG, "Locks the names of all imported access providers.")] = False
    lock_names_by_name: Annotated[
        Patterns, Option(kinds.PATTERNS, "Locks the name where the access provider's whole name matches.")
    ] = ()
    lock_names_by_tag: Annotated[
        tuple[str, ...], Option(kinds.TAGS, "Locks the name where the access provider has one of these tags.")
    ] = ()
    lock_names_when_incomplete: Annotated[
        bool, Option(kinds.FLAG, "Locks the name where the access provider is incomplete.")
    ] = False
    lock_all_delete: Annotated[
        bool, Option(kinds.FLAG, "Keeps all imported access providers from being deleted in Raito Cloud.")
    ] = False
    lock_delete_by_name: Annotated[
        Patterns, Option(kinds.PATTERNS, "Keeps access providers from being deleted where the whole name matches.")
    ] = ()
    lock_delete_by_tag: Annotated[
        tuple[str, ...],
        Option(kinds.TAGS, "Keeps access providers from being deleted where they have one of these tags."),
    ] = ()
    lock_delete_when_incomplete: Annotated[
        bool, Option(kinds.FLAG, "Keeps access providers from being deleted where they are incomplete.")
    ] = False
    lock_all_owners: Annotated[bool, Option(kinds.FLAG, "Locks the owners of all imported access providers.")] = False
    fully_lock_all: Annotated[
        bool,
        Option(kinds.FLAG, "Keeps all imported access providers from being taken over (internalized) by Raito Cloud."),
    ] = False
    fully_lock_by_name: Annotated[
        Patterns,
        Option(
            kinds.PATTERNS,
            "Keeps access providers from being taken over where the whole name matches. `make-not-internalizable` "
            "is the older name; where both are given, both lists count.",
            ("fully-lock-by-name",),
        ),
    ] = ()
    make_not_internalizable: Annotated[
        Patterns,
        Option(kinds.PATTERNS, "The older name of `fully-lock-by-name`. Where both are given, both lists count."),
    ] = ()
    fully_lock_by_tag: Annotated[
        tuple[str, ...],
        Option(kinds.TAGS, "Keeps access providers from being taken over where they have one of these tags."),
    ] = ()
    fully_lock_when_incomplete: Annotated[
        bool, Option(kinds.FLAG, "Keeps access providers from being taken over where they are incomplete.")
    ] = False


class Shared(Settings):
    """Options that stand at the top of the file for all targets, or in a target, which then wins for itself."""

    api_user: Annotated[
        str | None,
        Option(kinds.TEXT, "The user that logs in to Raito Cloud. Required unless `skip-authentication` is on."),
    ] = None
    api_secret: Annotated[
        SecretStr | None,
        Option(
            kinds.SECRET,
            'That user\'s password. Best given as `"{{NAME}}"`, which reads the environment variable NAME. Required'
            " unless `skip-authentication` is on.",
        ),
    ] = None
    domain: Annotated[
        str, Option(kinds.DOMAIN, "The domain in Raito Cloud: https://DOMAIN.raito.cloud.", required=True)
    ]
    skip_identity_store_sync: Annotated[bool, Option(kinds.FLAG, "Leaves out users and groups.")] = False
    skip_data_source_sync: Annotated[bool, Option(kinds.FLAG, "Leaves out buckets, folders, files and tables.")] = False
    skip_data_access_sync: Annotated[
        bool, Option(kinds.FLAG, "Leaves out access: nothing is imported from AWS, nothing is pushed to it.")
    ] = False
    skip_data_usage_sync: Annotated[bool, Option(kinds.FLAG, "Leaves out usage.")] = False
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
        Option(kinds.TEXT, "A folder that keeps a copy of the files exchanged with Raito Cloud.", default="no copies"),
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
    tag_overwrite_key_for_access_provider_name: Annotated[
        str | None,
        Option(
            kinds.TEXT, "The key of the tag whose value becomes the name of an access provider, which is then locked."
        ),
    ] = None
    tag_overwrite_key_for_access_provider_owners: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The key of the tag that holds the owners of an access provider (account names or `email:...`, "
            "separated by commas), which are then locked.",
        ),
    ] = None
    tag_overwrite_key_for_data_object_owners: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The key of the tag that holds the owners of a data object (account names or `email:...`, separated by "
            "commas).",
        ),
    ] = None
    tag_key_and_value_for_user_is_machine: Annotated[
        str | None,
        Option(kinds.TAG, "The tag, as key:value, that marks a user as a machine. Compared without regard to case."),
    ] = None


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
    connector_version: Annotated[
        str | None, Option(kinds.TEXT, "The version of that connector. Only the Raito CLI uses it.", default="not used")
    ] = None
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


class OrganizationLink(Settings):
    """The Identity Center whose permission sets grant access to an account (`aws-organization-...`)."""

    profile: Annotated[
        str,
        Option(
            kinds.TEXT,
            "The AWS profile of the organization's master account. With it, permission sets are read and written.",
            ("aws-organization-profile",),
            default="no organization",
        ),
    ]
    region: Annotated[
        str,
        Option(
            kinds.REGION_NAME,
            "The region of Identity Center.",
            ("aws-organization-region",),
            default="the region of `aws-organization-profile`",
        ),
    ]
    instance_arn: Annotated[
        str,
        Option(
            kinds.INSTANCE_ARN,
            "The ARN of the Identity Center instance. Required with `aws-organization-profile`.",
            ("aws-organization-identity-center-instance-arn",),
        ),
    ]
    identity_store_id: Annotated[
        str,
        Option(
            kinds.IDENTITY_STORE,
            "The AWS identity store of that instance, as its id (d-...) or ARN. Required with `aws-organization-"
            "profile`.",
            ("aws-organization-identity-store",),
        ),
    ]


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


class AccountTarget(Target):
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
    regions: Annotated[
        tuple[str, ...],
        Option(
            kinds.REGIONS,
            "The regions to read. The first one is used where a call needs just any region.",
            ("aws-regions", "aws-region"),
            default="the profile's region",
        ),
    ]
    organization: OrganizationLink | None = None
    aws_concurrency: Annotated[
        int, Option(kinds.whole(1, 1000, 5), "How many calls to AWS may run at the same time.")
    ] = 5
    aws_s3_enabled: Annotated[
        bool,
        Option(
            kinds.FLAG,
            "Takes the data objects from S3. Exactly one of this and `aws-glue-enabled` is on.",
            default="true, unless `aws-glue-enabled` is on",
        ),
    ] = True
    aws_glue_enabled: Annotated[
        bool,
        Option(
            kinds.FLAG, "Takes the data objects from the Glue catalog. Exactly one of this and `aws-s3-enabled` is on."
        ),
    ] = False
    aws_s3_emulate_folder_structure: Annotated[
        bool,
        Option(
            kinds.FLAG,
            "Makes folders of the parts of a key between slashes. Off, each key is one file directly in its bucket.",
        ),
    ] = True
    aws_s3_max_folder_depth: Annotated[
        int,
        Option(
            kinds.whole(1, 1024, 20), "How many parts of a key become folders and files; what lies deeper is left out."
        ),
    ] = 20
    aws_s3_include_buckets: Annotated[
        Patterns, Option(kinds.PATTERNS, "Only buckets whose whole name matches one of these.", default="all buckets")
    ] = ()
    aws_s3_exclude_buckets: Annotated[
        Patterns,
        Option(
            kinds.PATTERNS,
            "No bucket whose whole name matches one of these; wins over `aws-s3-include-buckets`.",
            default="none",
        ),
    ] = ()
    aws_glue_exclude_databases: Annotated[
        Patterns, Option(kinds.PATTERNS, "No Glue database whose whole name matches one of these.", default="none")
    ] = ()
    aws_glue_exclude_tables: Annotated[
        Patterns, Option(kinds.PATTERNS, "No Glue table whose whole name matches one of these.", default="none")
    ] = ()
    aws_s3_cloudtrail_bucket: Annotated[
        str | None,
        Option(
            kinds.BUCKET,
            "The bucket that holds the CloudTrail logs with S3 data events, from which usage is read.",
            default="no usage",
        ),
    ] = None
    aws_access_skip_iam: Annotated[
        bool, Option(kinds.FLAG, "Leaves out all access given by IAM (roles, policies, inline policies).")
    ] = False
    aws_access_skip_user_inline_policies: Annotated[
        bool, Option(kinds.FLAG, "Leaves out inline policies of users.")
    ] = False
    aws_access_skip_group_inline_policies: Annotated[
        bool, Option(kinds.FLAG, "Leaves out inline policies of groups.")
    ] = False
    aws_access_skip_managed_policies: Annotated[bool, Option(kinds.FLAG, "Leaves out managed policies.")] = False
    aws_access_skip_aws_managed_policies: Annotated[
        bool, Option(kinds.FLAG, "Leaves out the managed policies that AWS itself maintains.")
    ] = False
    aws_access_skip_s3_access_points: Annotated[bool, Option(kinds.FLAG, "Leaves out S3 access points.")] = False
    aws_access_managed_policy_excludes: Annotated[
        Patterns, Option(kinds.PATTERNS, "No managed policy whose whole name matches one of these.", default="none")
    ] = ()
    aws_access_role_excludes: Annotated[
        Patterns, Option(kinds.PATTERNS, "No role whose whole name matches one of these.", default="none")
    ] = ()
    aws_user_excludes: Annotated[
        Patterns,
        Option(
            kinds.PATTERNS,
            "Users whose whole name matches one of these are imported by name only: no tags, e-mail address or "
            "inline policies.",
            default="none",
        ),
    ] = ()
    aws_role_prefix: Annotated[
        str,
        Option(
            _ROLE_NAME_PART,
            "Goes before the name of each role that a push creates.",
            ("aws-role-prefix", "aws-access-role-prefix"),
        ),
    ] = ""
    aws_role_suffix: Annotated[
        str,
        Option(
            _ROLE_NAME_PART,
            "Goes after the name of each role that a push creates.",
            ("aws-role-suffix", "aws-access-role-suffix"),
        ),
    ] = ""
    aws_policy_prefix: Annotated[
        str,
        Option(
            _ROLE_NAME_PART,
            "Goes before the name of each managed policy that a push creates.",
            ("aws-policy-prefix", "aws-access-policy-prefix"),
        ),
    ] = ""
    aws_policy_suffix: Annotated[
        str,
        Option(
            _ROLE_NAME_PART,
            "Goes after the name of each managed policy that a push creates.",
            ("aws-policy-suffix", "aws-access-policy-suffix"),
        ),
    ] = ""
    aws_sso_role_prefix: Annotated[
        str,
        Option(
            _SSO_NAME_PART,
            "Goes before the name of each permission set that a push creates; `#account#` stands for the account id.",
            ("aws-sso-role-prefix", "aws-access-sso-role-prefix"),
        ),
    ] = ""
    aws_sso_role_suffix: Annotated[
        str,
        Option(
            _SSO_NAME_PART,
            "Goes after the name of each permission set that a push creates; `#account#` stands for the account id.",
            ("aws-sso-role-suffix", "aws-access-sso-role-suffix"),
        ),
    ] = ""
    aws_access_point_prefix: Annotated[
        str,
        Option(
            _ACCESS_POINT_NAME_PART,
            "Goes before the name of each access point that a push creates.",
            ("aws-access-point-prefix", "aws-access-access-point-prefix"),
        ),
    ] = ""
    aws_access_point_suffix: Annotated[
        str,
        Option(
            _ACCESS_POINT_NAME_PART,
            "Goes after the name of each access point that a push creates.",
            ("aws-access-point-suffix", "aws-access-access-point-suffix"),
        ),
    ] = ""
    aws_permissionset_owner_email_tag: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The tag of pushed permission sets that gets the owners' e-mail addresses, joined with `/`.",
            ("aws-permissionset-owner-email-tag", "aws-permission-set-owner-email-tag"),
        ),
    ] = None
    aws_permissionset_owner_name_tag: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The tag of pushed permission sets that gets the owners' account names, joined with `/`.",
            ("aws-permissionset-owner-name-tag", "aws-permission-set-owner-name-tag"),
        ),
    ] = None
    aws_permissionset_owner_group_tag: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The tag of pushed permission sets that gets the owning groups, joined with `/`.",
            ("aws-permissionset-owner-group-tag", "aws-permission-set-owner-group-tag"),
        ),
    ] = None
    aws_permissionset_custom_tags: Annotated[
        Pairs,
        Option(
            kinds.PAIRS,
            "Tags that every pushed permission set gets.",
            (
                "aws-permissionset-custom-tags",
                "aws-permission-set-custom-tags",
                "aws-permissionset-owner-custom-tags",
                "aws-permission-set-owner-custom-tags",
            ),
        ),
    ] = ()
    aws_permissionset_account_id_tag: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The tag of pushed permission sets that gets the account id.",
            ("aws-permissionset-account-id-tag", "aws-permission-set-account-id-tag"),
        ),
    ] = None
    aws_permissionset_dummy_user: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The user that is assigned to a pushed permission set that nobody else has.",
            ("aws-permissionset-dummy-user", "aws-permission-set-dummy-user"),
        ),
    ] = None

    @property
    def aws_partition(self) -> str:
        """The partition of AWS, as ARNs name it: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, ..."""
        return aws_partition(self.regions[0])


class Pipeline(Settings):
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
    mode: Annotated[
        Literal["apply", "plan"],
        Option(
            kinds.choice("apply", "plan"),
            "`apply` pushes access controls to AWS; `plan` stops after the plan and changes nothing in AWS.",
        ),
    ] = "apply"
    cloudtrail_look_back_days: Annotated[
        int,
        Option(
            kinds.whole(0, 90, 2),
            "How many days before the last sync CloudTrail is listed again, to find log files that came late.",
        ),
    ] = 2
    usage_window_days: Annotated[
        int, Option(kinds.whole(1, 3650, 90), "How many days of usage a first sync reads.")
    ] = 90
    wait_for_sync_minutes: Annotated[
        int,
        Option(
            kinds.whole(0, 1440, 10),
            "How many minutes a run waits where another sync of its account is under way, before it gives up.",
        ),
    ] = 10
    max_push_deletions: Annotated[
        int | None,
        Option(
            kinds.whole(0, 1_000_000, 20),
            "A push that would delete more AWS objects than this stops before its first change.",
            default="no limit",
        ),
    ] = None
    max_import_deletions: Annotated[
        float,
        Option(
            kinds.SHARE,
            "The share of what Raito Cloud holds (data objects, access providers, users or groups of a target) that "
            "one import may remove, if it is more than 10. One that would remove more removes nothing, and says so.",
        ),
    ] = 0.5
    removed_regions: Annotated[
        tuple[str, ...],
        Option(
            kinds.PLACES,
            "Regions that were synced before and are meant to be gone from `aws-regions`, as ACCOUNT/REGION: what they "
            "hold is removed from Raito Cloud. Without this it stays, and is said.",
        ),
    ] = ()
    aws_attempts: Annotated[
        int,
        Option(
            kinds.whole(1, 50, 10),
            "How often a call to AWS is tried in all before it counts as failed, with growing pauses in between.",
        ),
    ] = 10
    s3_inventory: Annotated[
        Pairs,
        Option(
            kinds.S3_LOCATION,
            "Per bucket, the address `s3://BUCKET/PREFIX/` of its S3 Inventory, which is then read in place of "
            "listing the bucket. A mapping of bucket names to addresses.",
            default="none: buckets are listed",
        ),
    ] = ()

    def inventory_of(self, bucket: str) -> str | None:
        """The address of the inventory of `bucket`, or None where the bucket is listed."""
        return dict(self.s3_inventory).get(bucket)


class General(Settings):
    """Options that stand only at the top of the file."""

    raito_url_override: Annotated[
        str | None,
        Option(kinds.BASE_URL, "Another address of the Raito Cloud service.", default="https://api.raito.cloud/"),
    ] = None
    skip_authentication: Annotated[bool, Option(kinds.FLAG, "Sends no login (for a local service).")] = False
    skip_file_upload: Annotated[
        bool, Option(kinds.FLAG, "Names the files by their path instead of uploading them (for a local service).")
    ] = False
    only_targets: Annotated[
        tuple[str, ...], Option(kinds.TEXTS, "The names of the targets to sync.", default="all targets")
    ] = ()
    cron: Annotated[str | None, Option(kinds.CRON, "When to sync, as a cron expression. At most one sync an hour.")] = (
        None
    )
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
        bool, Option(kinds.FLAG, "Does not listen for changes in Raito Cloud between the syncs.")
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


class Options(General):
    """A whole configuration. Per-target options are resolved onto the targets; nothing has to look them up here.

    `accounts` and `organizations` are the targets to sync, in the order of the file. `other_organizations` are those
    that `only-targets` leaves out: they keep the names of organization partitions the same, whatever is selected.
    `other_accounts` are the partition keys of the accounts that it leaves out: they are not gone from the file.
    """

    file: str
    accounts: tuple[AccountTarget, ...] = ()
    organizations: tuple[OrganizationTarget, ...] = ()
    other_organizations: tuple[OrganizationTarget, ...] = ()
    other_accounts: tuple[str, ...] = ()
    pipeline: Pipeline
    warnings: tuple[Problem, ...] = ()

    @property
    def targets(self) -> tuple[AccountTarget | OrganizationTarget, ...]:
        """All targets to sync, organizations first: accounts refer to their people."""
        return (*self.organizations, *self.accounts)

    @property
    def placeholders(self) -> tuple[Problem, ...]:
        """Values of the targets that were left as placeholders such as `<account id>`."""
        return tuple(problem for target in self.targets for problem in target.placeholders)

    def check_usable(self) -> None:
        """Raise `ConfigError` where a target still has placeholders, which no sync can work with."""
        if self.placeholders:
            raise ConfigError(self.placeholders)

    def account(self, partition: str) -> AccountTarget:
        """The account target of the partition key `partition`. Raises KeyError where there is none."""
        for target in self.accounts:
            if target.partition == partition:
                return target
        known = ", ".join(target.partition for target in self.accounts)
        raise KeyError(f'no account target has the partition "{partition}"; there are: {known}')
