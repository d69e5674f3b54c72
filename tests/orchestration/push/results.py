"""Results of two access controls: one that was made, and one that AWS refused."""

from dataclasses import replace

from raito_pipeline.model import PushResult
from tests.model.test_schema import example_row

WELL = replace(example_row(PushResult, null=True), access_control_name="A", changes_made=2, changes_failed=0, errors=())
BADLY = replace(WELL, access_control_name="B", changes_made=0, changes_failed=1, errors=("AWS said no", "and no again"))
