"""Where the data comes from and where it goes: AWS and Raito Cloud as external assets, which nothing materializes.

The declaration of a table names them (`model.tables.Outside`), so the graph in the UI begins at AWS and ends at Raito
Cloud. Here is what a person sees of each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.model import Outside
from raito_pipeline.orchestration.naming import Naming

GROUP_AWS = "aws"
GROUP_GRANTED = "raito_cloud_granted"
GROUP_RAITO = "raito_cloud"
_CONSOLE = "https://console.aws.amazon.com"


@dataclass(frozen=True)
class External:
    """One place outside: what it is, and where a person looks at it."""

    name: Outside
    group: str
    kinds: frozenset[str]
    description: str
    console: str | None = None
    """path in the AWS console; None = it is in Raito Cloud"""

    def links(self, options: Options) -> Mapping[str, str]:
        """Names and addresses of the pages that show it."""
        if self.console is not None:
            return {"AWS console": f"{_CONSOLE}/{self.console}"}
        return dict(_raito_links(options))


EXTERNAL = (
    External(
        Outside.AWS_IDENTITY_CENTER,
        GROUP_AWS,
        frozenset({"aws", "identitycenter"}),
        "IAM Identity Center of an organization: its people, permission sets and their assignments to accounts.",
        "singlesignon/home",
    ),
    External(
        Outside.AWS_ORGANIZATIONS,
        GROUP_AWS,
        frozenset({"aws", "organizations"}),
        "AWS Organizations: where the accounts stand, and the service and resource control policies that apply there.",
        "organizations/v2/home",
    ),
    External(
        Outside.AWS_IAM,
        GROUP_AWS,
        frozenset({"aws", "iam"}),
        "IAM of each account. A push (`access_push_results`) changes it; the next sync reads what came of that.",
        "iam/home",
    ),
    External(
        Outside.AWS_S3,
        GROUP_AWS,
        frozenset({"aws", "s3"}),
        "S3 of each account: buckets, what lies in them, and access points.",
        "s3/buckets",
    ),
    External(
        Outside.AWS_GLUE,
        GROUP_AWS,
        frozenset({"aws", "glue"}),
        "The Glue data catalog of each account and region, read in place of S3 keys where `aws-glue-enabled` is on.",
        "glue/home",
    ),
    External(
        Outside.AWS_CLOUDTRAIL,
        GROUP_AWS,
        frozenset({"aws", "cloudtrail"}),
        "The log files that CloudTrail delivers to the bucket that `aws-s3-cloudtrail-bucket` names.",
        "cloudtrailv2/home",
    ),
    External(
        Outside.RAITO_CLOUD_ACCESS_CONTROLS,
        GROUP_GRANTED,
        frozenset({"raito"}),
        "The access controls that people granted in Raito Cloud.",
    ),
    External(
        Outside.RAITO_CLOUD,
        GROUP_RAITO,
        frozenset({"raito"}),
        "Raito Cloud after the imports: data objects, identities, access and usage of every account, and the feedback "
        "of the push.",
    ),
)


def external_specs(options: Options, naming: Naming) -> list[dg.AssetSpec]:
    """The external assets, with links for the given configuration."""
    plain = (
        dg.AssetSpec(
            external.name.value,
            description=external.description,
            deps=external.name.fed_by,
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
