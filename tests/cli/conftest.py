"""A small account in the emulated AWS and a local Raito Cloud, shared by the tests of a module of `plan` or `apply`."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from raito_pipeline.cli import main
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.sandbox.raito.seed import SeedAccount, SeededIds, seed_raito_cloud
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from tests.aws_profile import OTHERS, write_profile
from tests.dagster_project import write_project

ACCOUNT, REGION, KEY = "111122223333", "eu-west-1", "AKIACOMMANDSCOMMANDS"
FILE = """\
api-user: sync@example.com
api-secret: nothing
domain: sandbox
skip-authentication: true
raito-url-override: {raito}
pipeline: {{storage: {storage}, {pipeline}}}
targets:
- name: sales
  connector-name: raito-io/cli-plugin-aws-account
  data-source-id: {source}
  identity-store-id: {store}
  aws-account-id: "{account}"
  aws-profile: there
  aws-regions: {region}
  aws-s3-enabled: true
"""
COMPONENT = "type: raito_pipeline.RaitoAwsComponent\nattributes: {name: eu, translation: {key_prefix: lake}}\n"
Run = Callable[..., tuple[int, str]]


@dataclass
class PushedAccount:
    """The account `sales` with the users ann, bob and cyd and the group staff."""

    folder: Path
    aws: EmulatedAws
    raito: LocalRaitoCloud
    ids: SeededIds
    iam: Any

    def configure(self, pipeline: str = "mode: apply") -> None:
        """Write `raito.yml` with some options of the pipeline."""
        text = FILE.format(
            raito=self.raito.url,
            storage=self.folder / "data",
            pipeline=pipeline,
            source=self.ids.data_sources[ACCOUNT],
            store=self.ids.identity_stores[ACCOUNT],
            account=ACCOUNT,
            region=REGION,
        )
        (self.folder / "raito.yml").write_text(text)

    def grant(self, control: str, name: str, users: list[str], folder: str = "sales", **more: Any) -> None:
        """Define an access control: users read a folder of the bucket `data-00`."""
        reads = {"permissions": ["s3:GetObject"]}
        what = [{"dataObject": {"fullName": f"{ACCOUNT}:{REGION}:data-00/{folder}", "type": "folder"}, **reads}]
        definition = {"id": control, "name": name, "type": "aws_role", "who": {"users": users}, "what": what, **more}
        self.raito.define_access_control(self.ids.data_sources[ACCOUNT], definition)

    def trusted(self, role: str) -> list[str]:
        """The users who may assume a role."""
        found = self.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]
        return [arn.rpartition("/")[2] for arn in ([found] if isinstance(found, str) else found)]

    def roles(self) -> set[str]:
        return {role["RoleName"] for role in self.iam.list_roles()["Roles"]}

    def change_trust(self, role: str, *users: str) -> None:
        """What somebody does in AWS by hand."""
        who = {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/{user}" for user in users]}
        statement = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)


@pytest.fixture(scope="module")
def pushed_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushedAccount]:
    folder = tmp_path_factory.mktemp("pushed")
    with pytest.MonkeyPatch.context() as patch, EmulatedAws() as aws:
        install_access_key(ACCOUNT, KEY, "not-a-secret")
        for name, value in write_profile(folder, aws.endpoint_url, key=KEY, region=REGION).items():
            patch.setenv(name, value)
        for name in (*OTHERS, "DAGSTER_HOME", "RAITO_CONFIG_FILE"):
            patch.delenv(name, raising=False)
        patch.setenv("COLUMNS", "80")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.chdir(folder)
        session = boto3.Session(profile_name="there")
        iam = session.client("iam")
        region: Any = {"LocationConstraint": REGION}
        session.client("s3").create_bucket(Bucket="data-00", CreateBucketConfiguration=region)
        for user in ("ann", "bob", "cyd"):
            iam.create_user(UserName=user)
        iam.create_group(GroupName="staff")
        with LocalRaitoCloud(
            folder / "raito.sqlite", folder / "files", aws.endpoint_url, "client", "sandbox", require_login=False
        ) as raito:
            account = SeedAccount(ACCOUNT, "sales", ("ann", "bob", "cyd"), ("staff",))
            ids = seed_raito_cloud(raito, [account], access_controls=False)
            made = PushedAccount(folder, aws, raito, ids, iam)
            made.configure()
            yield made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; gives its exit status, and what it printed."""

    def command(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        status = main(list(words))
        return status, capsys.readouterr().out

    return command


@pytest.fixture
def component(
    pushed_account: PushedAccount, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder of a component with a name and a key prefix, on the `raito.yml` of the account; commands run there."""
    pushed_account.configure()
    text = (pushed_account.folder / "raito.yml").read_text()
    package = f"project_of_{request.module.__name__.rpartition('.')[2]}"
    files = {f"{package}/defs/eu/defs.yaml": COMPONENT, f"{package}/defs/eu/raito.yml": text}
    source = write_project(tmp_path, package, files) / "src"
    monkeypatch.syspath_prepend(str(source))
    folder = source / package / "defs" / "eu"
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.chdir(folder)
    return folder
