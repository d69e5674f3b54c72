"""The files that a user of the embedded estate works with: `raito.yml` and the environment to use it with."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from raito_pipeline.sandbox.aws.estate import Estate, EstateAccount
from raito_pipeline.sandbox.aws.estate.large_organization import ROLE
from raito_pipeline.sandbox.aws.estate.names import LOGS
from raito_pipeline.sandbox.raito.seed import SeededIds

DOMAIN = "sandbox"
API_USER = "sync@example.com"
SECRET_VARIABLE = "RAITO_API_SECRET"

_HEAD = """\
# Written by `raito-pipeline sandbox`: the embedded estate, with the options that your own file would have.
# Only the addresses differ from a real one: raito-url-override here, endpoint_url in the AWS profiles.
"""
_ENVIRONMENT_HEAD = """\
# For a shell: set -a; . FILE; set +a
# The AWS SDKs for Go and JavaScript ask S3 Control at ACCOUNT.localhost. Where that name does not resolve, add it for
# each account of raito.yml to /etc/hosts, as 127.0.0.1.
"""


def write_raito_yml(path: Path, estate: Estate, ids: SeededIds, raito_url: str) -> None:
    """Write the configuration of the estate; the tables lie beside it."""
    content: dict[str, Any] = {
        "api-user": API_USER,
        "api-secret": "{{" + SECRET_VARIABLE + "}}",
        "domain": DOMAIN,
        "raito-url-override": raito_url,
        "targets": [_organization(estate, ids), *(_account(estate, ids, account) for account in estate.members)],
        "pipeline": {"storage": "data"},
    }
    if estate.unlisted:
        content["pipeline"]["discover"] = _discover(estate)
    text = yaml.safe_dump(content, sort_keys=False, width=120, allow_unicode=True)
    path.write_text(_HEAD + text, encoding="utf-8")


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write the environment, with its secret, for its owner's shell alone: `set -a; . FILE; set +a`."""
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    path.touch(mode=0o600)
    path.write_text(_ENVIRONMENT_HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def _organization(estate: Estate, ids: SeededIds) -> dict[str, Any]:
    return {
        "name": "aws-organization",
        "connector-name": "raito-io/cli-plugin-aws-organization",
        "identity-store-id": ids.organization_store,
        "aws-account-id": estate.master.account_id,
        "aws-profile": estate.master.profile,
        "aws-region": estate.identity_center_region,
    }


def _account(estate: Estate, ids: SeededIds, account: EstateAccount) -> dict[str, Any]:
    return {
        "name": account.name,
        "connector-name": "raito-io/cli-plugin-aws-account",
        "data-source-id": ids.data_sources[account.account_id],
        "identity-store-id": ids.identity_stores[account.account_id],
        "aws-account-id": account.account_id,
        "aws-profile": account.profile,
        "aws-regions": ",".join(account.regions),
        **_organization_of(estate),
        "aws-s3-enabled": account.mode == "s3",
        "aws-glue-enabled": account.mode == "glue",
        "aws-s3-cloudtrail-bucket": account.cloudtrail_bucket,
        "aws-s3-exclude-buckets": account.cloudtrail_bucket,
    }


def _organization_of(estate: Estate) -> dict[str, Any]:
    """What each account says of its organization."""
    return {
        "aws-organization-profile": estate.master.profile,
        # The accounts share an organization: each has permission sets of its own.
        "aws-sso-role-suffix": "_#account#",
        "aws-organization-region": estate.identity_center_region,
        "aws-organization-identity-center-instance-arn": estate.instance_arn,
        "aws-organization-identity-store": estate.identity_store_id,
    }


def _discover(estate: Estate) -> dict[str, Any]:
    """Discovery of the accounts that are no targets; the management account is none of them."""
    return {
        "role": ROLE,
        "exclude-accounts": estate.master.account_id,
        "target": {
            "aws-regions": ",".join(sorted({region for account in estate.unlisted for region in account.regions})),
            **_organization_of(estate),
            "aws-s3-enabled": True,
            "aws-s3-cloudtrail-bucket": f"#account#-{LOGS}",
            "aws-s3-exclude-buckets": f"#account#-{LOGS}",
        },
    }
