"""Options by what they are about: each part of the pipeline takes the group that it reads, under the names of the file.

A target is all of its groups at once (`options.py`), so that it is passed as it is where one of them is wanted, and a
test makes just the group. Nothing here contacts anything or imports what does.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import SecretStr

from raito_pipeline.config import kinds
from raito_pipeline.config.deferred import Deferred
from raito_pipeline.config.option import Option, OptionGroup
from raito_pipeline.config.patterns import NamePattern, matches_any
from raito_pipeline.config.regions import aws_partition

_ROLE_NAME_PART = kinds.name_part("A-Za-z0-9+=,.@_-", "letters, digits and + = , . @ _ -")
_SSO_NAME_PART = kinds.name_part(
    "A-Za-z0-9+=,.@_-", "letters, digits, + = , . @ _ - and `#account#`", variables=("#account#",)
)
_ACCESS_POINT_NAME_PART = kinds.name_part("a-z0-9-", "lower-case letters, digits and -")

Patterns = tuple[NamePattern, ...]
Pairs = tuple[tuple[str, str], ...]


class Locks(OptionGroup):
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


class OrganizationLink(OptionGroup):
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

    @property
    def aws_partition(self) -> str:
        """The partition of AWS, as ARNs name it: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, ..."""
        return aws_partition(self.region)


class Login(OptionGroup):
    """As whom to log in to Raito Cloud, and where."""

    api_user: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The user that logs in to Raito Cloud. Required unless `skip-authentication` is on. Like `api-secret`, it "
            "may be read when it is used.",
            deferrable=True,
        ),
    ] = None
    api_secret: Annotated[
        SecretStr | None,
        Option(
            kinds.SECRET,
            'That user\'s password, read when it is first used: `"{{NAME}}"` is the environment variable NAME, '
            '`"{{secretsmanager:NAME}}"` a secret of AWS Secrets Manager (`"{{secretsmanager:NAME:KEY}}"` a member of '
            'one that is a JSON object), `"{{ssm:/NAME}}"` a parameter of AWS Systems Manager. Required unless '
            "`skip-authentication` is on.",
            deferrable=True,
        ),
    ] = None
    domain: Annotated[
        str, Option(kinds.DOMAIN, "The domain in Raito Cloud: https://DOMAIN.raito.cloud.", required=True)
    ]
    deferred: tuple[Deferred, ...] = ()
    """those of the above that are read when they are used; they are None until then"""


class Stages(OptionGroup):
    """Which stages of a sync are left out."""

    skip_identity_store_sync: Annotated[bool, Option(kinds.FLAG, "Leaves out users and groups.")] = False
    skip_data_source_sync: Annotated[bool, Option(kinds.FLAG, "Leaves out buckets, folders, files and tables.")] = False
    skip_data_access_sync: Annotated[
        bool, Option(kinds.FLAG, "Leaves out access: nothing is imported from AWS, nothing is pushed to it.")
    ] = False
    skip_data_usage_sync: Annotated[bool, Option(kinds.FLAG, "Leaves out usage.")] = False


class TagKeys(OptionGroup):
    """Which tags of AWS objects mean something in Raito Cloud."""

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


class RaitoService(OptionGroup):
    """How to reach Raito Cloud."""

    raito_url_override: Annotated[
        str | None,
        Option(kinds.BASE_URL, "Another address of the Raito Cloud service.", default="https://api.raito.cloud/"),
    ] = None
    skip_authentication: Annotated[bool, Option(kinds.FLAG, "Sends no login (for a local service).")] = False
    skip_file_upload: Annotated[
        bool, Option(kinds.FLAG, "Names the files by their path instead of uploading them (for a local service).")
    ] = False


class AwsConcurrency(OptionGroup):
    """How much is asked of AWS at a time."""

    aws_concurrency: Annotated[
        int, Option(kinds.whole(1, 1000, 5), "How many calls to AWS may run at the same time.")
    ] = 5


class Surroundings(OptionGroup):
    """The regions of an account and the organization that gives access to it."""

    regions: Annotated[
        tuple[str, ...],
        Option(
            kinds.REGIONS,
            "The regions to read. The first one is used where a call needs just any region.",
            ("aws-regions", "aws-region"),
            default="the profile's region",
        ),
    ] = ()
    organization: OrganizationLink | None = None

    @property
    def aws_partition(self) -> str:
        """The partition of AWS, as ARNs name it: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, ..."""
        return aws_partition(self.regions[0]) if self.regions else "aws"


class S3Options(AwsConcurrency):
    """Which buckets are wanted, and how their keys become data objects."""

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
        Patterns,
        Option(
            kinds.BUCKET_PATTERNS,
            "Only buckets whose whole name matches one of these. `*` behind a character of a name stands for any "
            "characters (`logs-*`), as in the Raito CLI.",
            default="all buckets",
        ),
    ] = ()
    aws_s3_exclude_buckets: Annotated[
        Patterns,
        Option(
            kinds.BUCKET_PATTERNS,
            "No bucket whose whole name matches one of these, with `*` as there; wins over `aws-s3-include-buckets`.",
            default="none",
        ),
    ] = ()


class GlueOptions(AwsConcurrency):
    """Which databases and tables of the Glue catalog are wanted."""

    aws_glue_exclude_databases: Annotated[
        Patterns, Option(kinds.PATTERNS, "No Glue database whose whole name matches one of these.", default="none")
    ] = ()
    aws_glue_exclude_tables: Annotated[
        Patterns, Option(kinds.PATTERNS, "No Glue table whose whole name matches one of these.", default="none")
    ] = ()


class SourceOptions(S3Options, GlueOptions):
    """Where the data objects come from."""

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


class UsageOptions(AwsConcurrency):
    """Where usage is read."""

    aws_s3_cloudtrail_bucket: Annotated[
        str | None,
        Option(
            kinds.BUCKET,
            "The bucket that holds the CloudTrail logs with S3 data events, from which usage is read.",
            default="no usage",
        ),
    ] = None


class Excludes(OptionGroup):
    """Users, roles and managed policies that are not imported (in full)."""

    aws_access_managed_policy_excludes: Annotated[
        Patterns, Option(kinds.IAM_PATTERNS, "No managed policy whose whole name matches one of these.", default="none")
    ] = ()
    aws_access_role_excludes: Annotated[
        Patterns, Option(kinds.IAM_PATTERNS, "No role whose whole name matches one of these.", default="none")
    ] = ()
    aws_user_excludes: Annotated[
        Patterns,
        Option(
            kinds.IAM_PATTERNS,
            "Users whose whole name matches one of these are imported by name only: no tags, e-mail address or "
            "inline policies. A Deny in these counts all the same, as in whatever else is left out of the import.",
            default="none",
        ),
    ] = ()


class IamOptions(AwsConcurrency, Stages, Excludes):
    """Which access is read from IAM."""

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

    @property
    def imports_iam_access(self) -> bool:
        """Whether access that IAM gives is imported at all."""
        return not (self.aws_access_skip_iam or self.skip_data_access_sync)

    @property
    def imports_managed_policies(self) -> bool:
        """Whether managed policies are imported."""
        return self.imports_iam_access and not self.aws_access_skip_managed_policies

    @property
    def imports_aws_managed_policies(self) -> bool:
        """Whether the managed policies that AWS itself maintains are imported."""
        return self.imports_managed_policies and not self.aws_access_skip_aws_managed_policies

    def imports_inline_policies(self, kind: str, name: str) -> bool:
        """Whether the inline policies of a `user`, `group` or `role` are imported."""
        if kind == "user" and (self.aws_access_skip_user_inline_policies or self.excludes_user(name)):
            return False
        return self.imports_iam_access and not (kind == "group" and self.aws_access_skip_group_inline_policies)

    def excludes_user(self, name: str) -> bool:
        """True for users that are imported by name only: no tags, no inline policies."""
        return matches_any(self.aws_user_excludes, name)


class AccessOptions(IamOptions, SourceOptions, Surroundings, TagKeys):
    """Which access is imported, how it is called, and what cannot be edited of it in Raito Cloud."""

    aws_access_skip_s3_access_points: Annotated[bool, Option(kinds.FLAG, "Leaves out S3 access points.")] = False
    locks: Locks = Locks()


class PushOptions(Excludes, Surroundings):
    """What a push makes in AWS is called, where it lies, what else is granted with it, and what is left alone."""

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
    aws_push_allow_beyond_data: Annotated[
        Patterns,
        Option(
            kinds.IAM_PATTERNS,
            "Roles, permission sets and managed policies that give more than data (S3, and reading the Glue catalog) "
            "get no new people by a push and are not deleted by it, except those whose whole name matches one of "
            "these.",
            default="none",
        ),
    ] = ()
    aws_push_own_only: Annotated[
        bool,
        Option(
            kinds.FLAG,
            "A push changes nothing but what Raito made: what was imported is not taken over. The least policy for "
            "pushing is then limited by the tag `creator=RAITO` and by the prefixes and suffixes.",
        ),
    ] = False
    aws_iam_path: Annotated[
        str,
        Option(
            kinds.IAM_PATH,
            "The path of IAM in which a push creates roles and managed policies, such as `/raito/`; those that are "
            "there stay where they are. The least policy for pushing then allows to create them there only, and with "
            "`aws-push-own-only` to change nothing elsewhere.",
        ),
    ] = "/"
    aws_role_boundary: Annotated[
        str | None,
        Option(
            kinds.POLICY_ARN,
            "The permissions boundary of each role that a push creates. The least policy for pushing then allows to "
            "create roles with this boundary only.",
            default="none",
        ),
    ] = None
    aws_athena_workgroups: Annotated[
        tuple[str, ...],
        Option(
            kinds.TEXTS,
            "Whoever is granted a Glue table by a role, policy or permission set of Raito may query it from Athena in "
            "these workgroups: reading the Glue catalog of its region, `lakeformation:GetDataAccess` and the actions "
            "of queries are granted with it. The place of the results has to be granted besides.",
            default="none",
        ),
    ] = ()
    aws_push_remove_orphans: Annotated[
        bool,
        Option(
            kinds.FLAG,
            "Removes what Raito made in AWS and no access control names any more (table `access_push_orphans`), only "
            "after an export that holds every access control.",
        ),
    ] = False
    aws_access_point_delegation: Annotated[
        bool,
        Option(
            kinds.FLAG,
            "Lets a push add one statement (Sid `RaitoDelegateToAccessPoints`) to the policy of a bucket that does not "
            "delegate access to access points of the account: without it, what an access point grants is granted only "
            "to those who have it on the bucket as well. The plan shows the change. A bucket policy with a Deny that "
            "is about access points is left alone, as is that of a bucket with access points of others, which would "
            "give what they say by it; nothing takes the statement out again.",
        ),
    ] = False
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


class BucketPolicyOptions(OptionGroup):
    """What bucket policies are read for (below `pipeline:`)."""

    bucket_policies: Annotated[
        Literal["show", "deny-only", "off"],
        Option(
            kinds.choice("show", "deny-only", "off"),
            "`show` imports what bucket policies allow as access providers, and counts what they deny; `deny-only` "
            "counts what they deny; `off` does not read them.",
        ),
    ] = "show"

    @property
    def reads_bucket_policies(self) -> bool:
        """Whether bucket policies are asked for at all."""
        return self.bucket_policies != "off"


class UsageWindowOptions(OptionGroup):
    """Which days of CloudTrail are read (below `pipeline:`)."""

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


class OperationOptions(OptionGroup):
    """What a deployment does besides syncs: how long it keeps runs, and whom it tells of those that failed."""

    keep_runs_days: Annotated[
        int | None,
        Option(
            kinds.whole(4, 3650, 90),
            "Days after which Dagster forgets a run of a sync, with its events and what it printed, every hour. The "
            "last runs that made what is stored are kept, however old they are, and what a sync may still need.",
            default="all runs are kept",
        ),
    ] = None
    alert_webhook: Annotated[
        SecretStr | None,
        Option(
            kinds.WEBHOOK,
            "The address that each failed run of a sync is posted to, as JSON with a `text` (as Slack and Mattermost "
            "take it). Not for a run that Dagster tries again. It is a secret; keep it in the environment.",
            default="nobody is told",
        ),
    ] = None
