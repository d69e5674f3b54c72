"""Rights that several access provider types of IAM need: where access is imported, and nowhere else."""

import pytest

from raito_pipeline.aws.provider_types.iam_rights import READ_IAM, no_rights, read_iam
from raito_pipeline.config import AccountTarget, Options
from tests.orchestration.conftest import Loads


@pytest.fixture
def options(loads: Loads) -> Options:
    return loads(accounts=1)


def with_options(options: Options, **more: object) -> AccountTarget:
    return options.accounts[0].model_copy(update=more)


def test_iam_is_read_whole_by_one_right_that_takes_no_resource(options: Options) -> None:
    assert list(read_iam(with_options(options))) == [READ_IAM]
    assert READ_IAM.resources == ("*",)


@pytest.mark.parametrize("skipped", ["aws_access_skip_iam", "skip_data_access_sync"])
def test_where_no_access_of_iam_is_imported_it_is_not_asked_for(options: Options, skipped: str) -> None:
    assert list(read_iam(with_options(options, **{skipped: True}))) == []


def test_an_organization_has_no_iam_of_its_own_to_read(options: Options) -> None:
    (organization,) = options.organizations
    assert list(read_iam(organization)) == []
    assert list(no_rights(organization)) == []
