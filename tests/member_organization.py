"""An organization of many accounts in the emulated AWS, a local Raito Cloud, and a `raito.yml` that discovers them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from moto.organizations.models import OrganizationsBackend, organizations_backends

from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.estate.large_organization import LargeOrganization, seed_large_organization
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.sandbox.raito.seed import SeedOrganization, seed_raito_cloud
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from tests.aws_profile import OTHERS, write_profile

MASTER, KEY = "300000000000", "AKIADISCOVERDISCOVER"
FILE = """\
# Ours. Keep this line.
api-user: sync@example.com
api-secret: nothing
domain: sandbox
skip-authentication: true
raito-url-override: {raito}
targets:
  - name: people
    connector-name: raito-io/cli-plugin-aws-organization
    identity-store-id: {store}
    aws-account-id: "{master}"
    aws-profile: there
    aws-region: us-east-1
pipeline:
  storage: data
  discover:
    role: raito-sync
    external-id: acme
{filters}    target:
      aws-regions: eu-west-1
      aws-organization-profile: there
      aws-organization-region: us-east-1
      aws-organization-identity-center-instance-arn: arn:aws:sso:::instance/ssoins-1234567890abcdef
      aws-organization-identity-store: d-1234567890
"""


@dataclass
class MemberOrganization:
    """The organization, and the folder with its `raito.yml`."""

    folder: Path
    aws: EmulatedAws
    raito: LocalRaitoCloud
    made: LargeOrganization
    store: str

    @property
    def file(self) -> Path:
        return self.folder / "raito.yml"

    @property
    def discovered(self) -> Path:
        return self.folder / "raito.discovered.yml"

    @property
    def backend(self) -> OrganizationsBackend:
        return organizations_backends[MASTER]["aws"]

    def configure(self, *filters: str) -> Path:
        """Write `raito.yml` with some options of `discover`, and nothing discovered."""
        lines = "".join(f"    {line}\n" for line in filters)
        self.file.write_text(FILE.format(raito=self.raito.url, store=self.store, master=MASTER, filters=lines))
        self.discovered.unlink(missing_ok=True)
        return self.file

    def calls(self, since: int = 0) -> list[str]:
        return [f"{call.service}:{call.operation}" for call in self.aws.calls.since(since)]


@contextmanager
def member_organization(folder: Path, count: int) -> Iterator[MemberOrganization]:
    with pytest.MonkeyPatch.context() as patch, EmulatedAws() as aws:
        install_access_key(MASTER, KEY, "not-a-secret")
        for name, value in write_profile(folder, aws.endpoint_url, key=KEY).items():
            patch.setenv(name, value)
        for name in (*OTHERS, "DAGSTER_HOME", "RAITO_CONFIG_FILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.chdir(folder)
        made = seed_large_organization(MASTER, count)
        with LocalRaitoCloud(
            folder / "raito.sqlite", folder / "files", aws.endpoint_url, "client", "sandbox", require_login=False
        ) as raito:
            ids = seed_raito_cloud(raito, [], SeedOrganization(MASTER, "people"), access_controls=False)
            assert ids.organization_store is not None
            organization = MemberOrganization(folder, aws, raito, made, ids.organization_store)
            organization.configure()
            yield organization
