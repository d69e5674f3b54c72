"""Configurations and Dagster instances without any estate: automation looks at records only."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.config import Options, load

HEAD = """\
api-user: sync@example.com
api-secret: nothing
domain: example
pipeline: {{storage: {storage}}}
{options}
targets:
- name: organization
  connector-name: raito-io/cli-plugin-aws-organization
  identity-store-id: org-store
  aws-account-id: "999988887777"
  aws-profile: master
  aws-region: eu-west-1
"""
ACCOUNT = """\
- name: account-{number}
  connector-name: raito-io/cli-plugin-aws-account
  data-source-id: source-{number}
  identity-store-id: store-{number}
  aws-account-id: "{account}"
  aws-profile: profile-{number}
  aws-regions: eu-west-1,us-east-1
  aws-s3-enabled: true
  aws-organization-profile: master
  aws-organization-region: eu-west-1
  aws-organization-identity-center-instance-arn: arn:aws:sso:::instance/ssoins-1
  aws-organization-identity-store: d-1234567890
"""
FIRST = 111_122_220_000
Loads = Callable[..., Options]


def account_ids(count: int) -> list[str]:
    """The accounts of a configuration of `count` accounts."""
    return [str(FIRST + number) for number in range(count)]


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    """Loads a configuration with some options and accounts."""

    def load_with(*options: str, accounts: int = 2) -> Options:
        text = HEAD.format(storage=tmp_path / "data", options="\n".join(options))
        text += "".join(ACCOUNT.format(number=n, account=each) for n, each in enumerate(account_ids(accounts)))
        file = tmp_path / "raito.yml"
        file.write_text(text, encoding="utf-8")
        return load(file)

    return load_with


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with its records on disk, as sensors need it."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def names(requests: Sequence[dg.RunRequest] | None) -> list[tuple[str | None, str]]:
    """Job and account of each request."""
    return [(request.job_name, request.tags["raito/account"]) for request in requests or ()]
