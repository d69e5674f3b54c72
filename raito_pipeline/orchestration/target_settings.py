"""From the options of a target to the settings of each reader, builder and client: the one place that knows both."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from raito_pipeline.aws.access import AccessSettings
from raito_pipeline.aws.data_objects.folders import FolderSettings
from raito_pipeline.aws.push.settings import PushSettings
from raito_pipeline.aws.readers.glue import GlueSettings
from raito_pipeline.aws.readers.iam import IamSettings, remembered_documents, remembered_tags
from raito_pipeline.aws.readers.s3 import S3Settings
from raito_pipeline.aws.readers.s3_objects import ScanSettings
from raito_pipeline.aws.usage.report import UsageSettings
from raito_pipeline.aws.usage.statements import StatementSettings
from raito_pipeline.config import AccountTarget, Options, OrganizationTarget
from raito_pipeline.model import IamPolicy
from raito_pipeline.raito.settings import RaitoSettings


def iam_settings(target: AccountTarget, earlier: Iterable[IamPolicy]) -> IamSettings:
    """How to read IAM; `earlier` are the policies that the last sync stored."""
    known = tuple(earlier)
    return IamSettings(
        user_excludes=target.aws_user_excludes,
        managed_policy_excludes=target.aws_access_managed_policy_excludes,
        concurrency=target.aws_concurrency,
        skip_iam=target.aws_access_skip_iam or target.skip_data_access_sync,
        skip_user_inline_policies=target.aws_access_skip_user_inline_policies,
        skip_group_inline_policies=target.aws_access_skip_group_inline_policies,
        skip_managed_policies=target.aws_access_skip_managed_policies,
        skip_aws_managed_policies=target.aws_access_skip_aws_managed_policies,
        remembered_policy_tags=remembered_tags(known),
        remembered_policy_documents=remembered_documents(known),
    )


def s3_settings(target: AccountTarget) -> S3Settings:
    """Which buckets are wanted."""
    return S3Settings(target.aws_s3_include_buckets, target.aws_s3_exclude_buckets, target.aws_concurrency)


def scan_settings(target: AccountTarget) -> ScanSettings:
    """How the keys of buckets become data objects."""
    folders = FolderSettings(target.aws_s3_emulate_folder_structure, target.aws_s3_max_folder_depth)
    return ScanSettings(folders, target.aws_concurrency)


def glue_settings(target: AccountTarget) -> GlueSettings:
    """Which databases and tables are wanted."""
    return GlueSettings(target.aws_glue_exclude_databases, target.aws_glue_exclude_tables, target.aws_concurrency)


def usage_settings(
    options: Options, target: AccountTarget, region: str, people: Mapping[str, str], bucket_regions: Mapping[str, str]
) -> UsageSettings:
    """Which usage is kept, and what records are held against. Raises `ValueError` where no bucket is configured."""
    if not target.aws_s3_cloudtrail_bucket:
        raise ValueError(f"{target.name} has no aws-s3-cloudtrail-bucket")
    held_against = StatementSettings(target.account_id, region, target.aws_s3_cloudtrail_bucket, people, bucket_regions)
    pipeline = options.pipeline
    return UsageSettings(
        held_against, pipeline.usage_window_days, pipeline.cloudtrail_look_back_days, target.aws_concurrency
    )


def access_settings(target: AccountTarget) -> AccessSettings:
    """Which access is imported, and what cannot be edited of it."""
    depth = target.aws_s3_max_folder_depth if target.aws_s3_emulate_folder_structure else 0
    return AccessSettings(
        partition=target.aws_partition,
        regions=target.regions or None,
        folder_depth=None if target.aws_glue_enabled else depth,
        organization=target.organization is not None,
        role_excludes=target.aws_access_role_excludes,
        managed_policy_excludes=target.aws_access_managed_policy_excludes,
        skip_user_inline_policies=target.aws_access_skip_user_inline_policies,
        skip_group_inline_policies=target.aws_access_skip_group_inline_policies,
        skip_managed_policies=target.aws_access_skip_managed_policies,
        skip_aws_managed_policies=target.aws_access_skip_aws_managed_policies,
        skip_access_points=target.aws_access_skip_s3_access_points,
        locks=target.locks,
        name_tag=target.tag_overwrite_key_for_access_provider_name,
        owner_tag=target.tag_overwrite_key_for_access_provider_owners,
    )


def push_settings(target: AccountTarget) -> PushSettings:
    """How the AWS objects of a push are called, and what it leaves alone."""
    return PushSettings(
        partition=target.aws_partition,
        organization=target.organization is not None,
        role_prefix=target.aws_role_prefix,
        role_suffix=target.aws_role_suffix,
        policy_prefix=target.aws_policy_prefix,
        policy_suffix=target.aws_policy_suffix,
        role_excludes=target.aws_access_role_excludes,
    )


def raito_settings(options: Options, target: AccountTarget | OrganizationTarget) -> RaitoSettings:
    """How to reach Raito Cloud as the user of a target."""
    settings = RaitoSettings(
        base_url=options.raito_url_override or "",
        domain=target.domain,
        api_user=target.api_user or "",
        skip_authentication=options.skip_authentication,
        skip_file_upload=options.skip_file_upload,
    )
    return settings if target.api_secret is None else replace(settings, api_secret=target.api_secret)
