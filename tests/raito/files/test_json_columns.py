"""JSON of columns is what JSON of their values would be, whatever they hold and wherever a column begins."""

import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.raito.files.json_columns import escaped, joined, optional, text_of, where

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6)


@given(TEXTS, st.integers(0, 3))
def test_an_escaped_text_is_read_as_it_was(texts: list[str], first: int) -> None:
    column = pa.array(texts, pa.string()).slice(first)
    assert [json.loads(text) for text in joined('"', escaped(column), '"').to_pylist()] == texts[first:]


@given(TEXTS, st.integers(0, 3))
def test_the_text_of_a_column_is_that_of_its_values_one_after_the_other(texts: list[str], first: int) -> None:
    column = pa.array(texts, pa.string()).slice(first)
    assert bytes(text_of(column)).decode() == "".join(texts[first:])


def test_what_is_null_or_empty_is_left_out() -> None:
    column = pa.array([None, "", 'a"b'], pa.string())
    assert optional("x", column).to_pylist() == ["", "", ',"x":"a\\"b"']
    assert optional("x", pa.array([None, None], pa.string())).to_pylist() == ["", ""]


def test_a_text_stands_where_its_condition_is_true() -> None:
    assert where(pa.array([True, False]), pa.array(["a", "b"])).to_pylist() == ["a", ""]
