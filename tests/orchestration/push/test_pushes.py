"""Who is not pushed at all."""

import pytest

from raito_pipeline.config import Options
from raito_pipeline.orchestration.push.pushes import switched_off
from tests.orchestration.conftest import Loads


@pytest.fixture
def options(loads: Loads) -> Options:
    return loads(accounts=1)


def test_a_target_is_not_pushed_where_access_is_skipped_or_goes_nowhere(options: Options) -> None:
    target = options.accounts[0]
    assert switched_off(target) is None
    assert switched_off(target.model_copy(update={"skip_data_access_sync": True})) == "skip-data-access-sync is on"
    assert switched_off(target.model_copy(update={"data_source_id": None})) == "the target has no data-source-id"
