"""Glue: lists in pages, also where the emulator gives everything at once; databases that are federated say so."""

from typing import Any

from moto.core.responses import ActionResult
from moto.glue.models import FakeDatabase
from moto.glue.responses import GlueResponse

from raito_pipeline.sandbox.aws.patches.paging import page_of
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

# Name of the method, name of the list in its answer, and most items of a page.
_PAGED = (
    ("get_databases", "DatabaseList", 100),
    ("get_tables", "TableList", 100),
    ("get_table_versions", "TableVersions", 100),
    ("get_partitions", "Partitions", 1000),
)


def patch_glue() -> None:
    """Make pages of Glue's lists."""
    for method, key, most in _PAGED:
        _patch_list(method, key, most)

    @replace(FakeDatabase, "as_dict")
    def as_dict(before: Method, self: FakeDatabase) -> dict[str, Any]:
        federated = self.input.get("FederatedDatabase")
        return {**before(self), **({"FederatedDatabase": federated} if federated else {})}


def _patch_list(method: str, key: str, most: int) -> None:
    @replace(GlueResponse, method)
    def list_items(before: Method, self: GlueResponse) -> ActionResult:
        whole: Any = before(self).result
        size = self.parameters.get("MaxResults")
        page, token = page_of(whole[key], self.parameters.get("NextToken"), size, most, most)
        return ActionResult({**whole, key: page, "NextToken": token})
