"""Rows of data objects as columns: they fit the table, and are forgotten once they are taken."""

from raito_pipeline.aws.data_objects.columns import Columns, bucket_row
from raito_pipeline.model import DataObject, Tag
from raito_pipeline.model.schema import arrow_schema, from_batch


def test_what_was_added_is_taken_once_as_rows_of_the_table() -> None:
    columns = Columns()
    columns.add("B/a", "a", "folder", "B")
    columns.add("B/a/x", "x", "file", "B/a")
    assert len(columns) == 2

    batch = columns.take()

    assert batch.schema == arrow_schema(DataObject)
    assert list(from_batch(DataObject, batch)) == [
        DataObject("B/a", "a", "folder", "B", "", None, None),
        DataObject("B/a/x", "x", "file", "B/a", "", None, None),
    ]
    assert len(columns) == 0
    assert columns.take().num_rows == 0


def test_a_bucket_lies_in_its_account_and_has_tags() -> None:
    tags = (Tag("owner", "ann"),)

    assert bucket_row("1:eu:b", "1", "b", tags) == DataObject("1:eu:b", "b", "bucket", "1", "", None, tags)
