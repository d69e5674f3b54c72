"""Where the data comes from and where it goes: AWS and Raito Cloud as external assets, which nothing materializes.

Declared once. The spec of a table takes its sources from here, so the graph in the UI begins at AWS and ends at Raito
Cloud; and a table that has a source is one that is read (`orchestration.checks` asks of each whether it is complete).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, ImportResult
from raito_pipeline.orchestration.layers import IAM_TABLES, ORGANIZATION_TABLES
from raito_pipeline.orchestration.naming import Naming

GROUP_AWS = "aws"
GROUP_GRANTED = "raito_cloud_granted"
GROUP_RAITO = "raito_cloud"
_CONSOLE = "https://console.aws.amazon.com"
RAITO_CLOUD = "raito_cloud"
IMPORTS = tuple(name for name, spec in TABLES.items() if spec.row_type is ImportResult)


@dataclass(frozen=True)
class External:
    """One place outside: what it is, where a person looks at it, and the tables that are read from it."""

    name: str
    group: str
    kinds: frozenset[str]
    description: str
    feeds: tuple[str, ...] = ()
    console: str | None = None
    """path in the AWS console; None = it is in Raito Cloud"""

    def links(self, options: Options) -> Mapping[str, str]:
        """Names and addresses of the pages that show it."""
        if self.console is not None:
            return {"AWS console": f"{_CONSOLE}/{self.console}"}
        return dict(_raito_links(options))


EXTERNAL = (
    External(
        "aws_identity_center",
        GROUP_AWS,
        frozenset({"aws", "identitycenter"}),
        "IAM Identity Center of an organization: its people, permission sets and their assignments to accounts.",
        ORGANIZATION_TABLES,
        "singlesignon/home",
    ),
    External(
        "aws_iam",
        GROUP_AWS,
        frozenset({"aws", "iam"}),
        "IAM of each account. A push (`access_push_results`) changes it; the next sync reads what came of that.",
        IAM_TABLES,
        "iam/home",
    ),
    External(
        "aws_s3",
        GROUP_AWS,
        frozenset({"aws", "s3"}),
        "S3 of each account: buckets, what lies in them, and access points.",
        ("s3_buckets", "data_objects", "access_points"),
        "s3/buckets",
    ),
    External(
        "aws_glue",
        GROUP_AWS,
        frozenset({"aws", "glue"}),
        "The Glue data catalog of each account and region, read in place of S3 keys where `aws-glue-enabled` is on.",
        ("data_objects",),
        "glue/home",
    ),
    External(
        "aws_cloudtrail",
        GROUP_AWS,
        frozenset({"aws", "cloudtrail"}),
        "The log files that CloudTrail delivers to the bucket that `aws-s3-cloudtrail-bucket` names.",
        ("cloudtrail_files", "usage_statements"),
        "cloudtrailv2/home",
    ),
    External(
        "raito_cloud_access_controls",
        GROUP_GRANTED,
        frozenset({"raito"}),
        "The access controls that people granted in Raito Cloud.",
        ("access_controls",),
    ),
    External(
        RAITO_CLOUD,
        GROUP_RAITO,
        frozenset({"raito"}),
        "Raito Cloud after the imports: data objects, identities, access and usage of every account, and the feedback "
        "of the push.",
    ),
)
_INTO_RAITO_CLOUD = (*IMPORTS, "access_push_results")


def sources(table: str) -> tuple[str, ...]:
    """The external assets that a table is read from; empty for a table that is made of others."""
    return tuple(external.name for external in EXTERNAL if table in external.feeds)


def external_specs(options: Options, naming: Naming) -> list[dg.AssetSpec]:
    """The external assets, with links for the given configuration."""
    plain = (
        dg.AssetSpec(
            external.name,
            description=external.description,
            deps=_INTO_RAITO_CLOUD if external.name == RAITO_CLOUD else (),
            group_name=external.group,
            kinds=set(external.kinds),
            metadata={name: dg.MetadataValue.url(address) for name, address in external.links(options).items()},
        )
        for external in EXTERNAL
    )
    return [naming.spec(spec) for spec in plain]


def _raito_links(options: Options) -> Iterator[tuple[str, str]]:
    if options.raito_url_override:
        yield "Raito Cloud", options.raito_url_override
        return
    domains = dict.fromkeys(target.domain for target in (*options.accounts, *options.organizations))
    for domain in domains:
        yield (f"Raito Cloud ({domain})" if len(domains) > 1 else "Raito Cloud", f"https://{domain}.raito.cloud")
