"""One small account in the emulated AWS and in a local Raito Cloud, and the materialization of single stages on it.

The servers, and the definitions of each configuration, are shared by all tests of this folder, which change nothing
there that another one looks at; each test begins with an empty storage and a Dagster instance of its own.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.config import load
from raito_pipeline.definitions import build_definitions
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.sandbox.raito.seed import SeedAccount, seed_raito_cloud
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from raito_pipeline.storage import CellInfo, Store
from tests.aws_profile import use_profile, write_profile

ACCOUNT, REGION, OTHER_REGION, MASTER = "111122223333", "eu-west-1", "us-east-1", "999988887777"
REGIONAL = f"{ACCOUNT}|{REGION}"
ORGANIZATION = f"{MASTER}_{REGION}"
KEY = "AKIAASSETSASSETS0000"
BUCKET = "assets-sales"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
TRUST = {"Statement": {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "sts:AssumeRole"}}
READS = {"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}}
RAITO_YML = """\
api-user: sync@example.com
api-secret: nothing
domain: sandbox
skip-authentication: true
raito-url-override: {raito}
{options}
pipeline: {{storage: {storage}, {pipeline}}}
targets:
- name: organization
  connector-name: raito-io/cli-plugin-aws-organization
  identity-store-id: {store}
  aws-account-id: "{master}"
  aws-profile: there
  aws-region: {region}
- name: sales
  connector-name: raito-io/cli-plugin-aws-account
  data-source-id: {source}
  identity-store-id: {store}
  aws-account-id: "{account}"
  aws-profile: there
  aws-regions: {regions}
  {data_objects}
  {target}
"""


@dataclass(frozen=True)
class Servers:
    """What stands outside, for all tests of the folder."""

    aws: EmulatedAws
    raito: LocalRaitoCloud
    data_source: str
    identity_store: str
    folder: Path
    """profile, configuration and storage"""
    jobs: dict[str, dg.JobDefinition] = field(default_factory=dict)
    """by configuration: all assets in one job"""

    def job(self, text: str) -> dg.JobDefinition:
        """The job of all assets of a configuration."""
        if text not in self.jobs:
            file = self.folder / "raito.yml"
            file.write_text(text)
            options = load(file)
            self.jobs[text] = build_definitions(options, Services(options)).resolve_implicit_global_asset_job_def()
        return self.jobs[text]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The emulated AWS with a bucket, a user and a role, and a Raito Cloud that knows the account.

    For one module: the emulated AWS of a process is one, and whoever starts it next empties it.
    """
    folder = tmp_path_factory.mktemp("assets")
    with EmulatedAws() as aws:
        install_access_key(ACCOUNT, KEY, "not-a-secret")
        _fill(aws.endpoint_url)
        with LocalRaitoCloud(
            folder / "raito.sqlite", folder / "files", aws.endpoint_url, "client", "sandbox", require_login=False
        ) as raito:
            ids = seed_raito_cloud(raito, [SeedAccount(ACCOUNT, "sales", ("ann",))], access_controls=False)
            yield Servers(aws, raito, ids.data_sources[ACCOUNT], ids.identity_stores[ACCOUNT], folder)


def _client(service: Any, url: str) -> Any:
    return boto3.client(
        service, region_name=REGION, endpoint_url=url, aws_access_key_id=KEY, aws_secret_access_key="not-a-secret"
    )


def _fill(url: str) -> None:
    s3, iam = _client("s3", url), _client("iam", url)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("2026/a.csv", "2026/b.csv", "readme"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    iam.create_user(UserName="ann")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **TRUST}))
    iam.put_role_policy(
        RoleName="reader", PolicyName="read", PolicyDocument=json.dumps({"Version": "2012-10-17", **READS})
    )


@dataclass
class Stage:
    """Materializes assets of the account, as a person does in the UI."""

    servers: Servers
    instance: dg.DagsterInstance
    options: str = ""
    target: str = ""
    data_objects: str = "aws-s3-enabled: true"
    pipeline: str = ""
    regions: str = f"{REGION},{OTHER_REGION}"
    failure: str = ""
    """what the last run failed with, if it did"""

    @property
    def store(self) -> Store:
        """The stored tables."""
        return Store.open(self.servers.folder / "data")

    def s3(self) -> Any:
        """A client of the emulated S3, to change what is there; whoever does so puts it back."""
        return _client("s3", self.servers.aws.endpoint_url)

    def s3_control(self) -> Any:
        """The same of its access points."""
        return AwsClients("there").client("s3control", REGION)

    def make(self, tables: Sequence[str], partition_key: str = ACCOUNT, **tags: str) -> list[str]:
        """Materialize tables in one run, of the sync `s1`; gives those that were materialized."""
        text = RAITO_YML.format(
            raito=self.servers.raito.url,
            options=self.options,
            pipeline=self.pipeline,
            storage=self.servers.folder / "data",
            master=MASTER,
            account=ACCOUNT,
            region=REGION,
            regions=self.regions,
            source=self.servers.data_source,
            store=self.servers.identity_store,
            target=self.target,
            data_objects=self.data_objects,
        )
        result = self.servers.job(text).execute_in_process(
            asset_selection=[dg.AssetKey(table) for table in tables],
            partition_key=partition_key,
            instance=self.instance,
            tags={"raito/sync": "s1", **tags},
            raise_on_error=False,
        )
        failed = (event.step_failure_data.user_failure_data for event in result.all_events if event.is_step_failure)
        self.failure = "\n".join(each.description or "" for each in failed if each is not None)
        # What a step tells just before it fails is in the log of its run only.
        events = self.instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        return [
            event.asset_materialization.asset_key.to_user_string() for event in events if event.asset_materialization
        ]

    def info(self, table: str, region: str | None = None, account: str = ACCOUNT) -> CellInfo:
        """What a stored cell knows about itself."""
        info = self.store.info(table, account, region)
        assert info is not None, f"{table} is not there"
        return info


@pytest.fixture
def stage(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The account with an empty storage."""
    shutil.rmtree(servers.folder / "data", ignore_errors=True)
    use_profile(monkeypatch, write_profile(servers.folder, servers.aws.endpoint_url, key=KEY, region=REGION))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3_CONTROL", f"http://localhost:{servers.aws.port}")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    servers.aws.faults.clear()
    with dg.DagsterInstance.ephemeral() as instance:
        yield Stage(servers, instance)
    servers.aws.faults.clear()
