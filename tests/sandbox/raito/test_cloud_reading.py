"""Reading a long JSON array in pieces gives what reading it at once gives, or says what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raito_pipeline.sandbox.raito.reading import BrokenFile, InvalidRecord, batches


class Thing(msgspec.Struct):
    """Anything with a name."""

    name: str
    inner: Any = None


def read(path: Path, content: bytes, chunk: int) -> list[Thing | InvalidRecord]:
    path.write_bytes(content)
    return [element for batch in batches(path, "things", Thing, chunk) for element in batch]


texts = st.text(alphabet=st.sampled_from('ab"\\,{}[] \n\tüß€😀'), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
layouts = st.sampled_from(
    [{}, {"indent": 1}, {"separators": (",", ":")}, {"separators": (" , ", " : ")}, {"ensure_ascii": False}]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(texts, values), max_size=12), st.integers(1, 120), layouts)
def test_pieces_make_the_whole(
    tmp_path: Path, things: list[tuple[str, Any]], chunk: int, layout: dict[str, Any]
) -> None:
    content = json.dumps([{"name": name, "inner": inner} for name, inner in things], **layout).encode()

    assert read(tmp_path / "things.json", content, chunk) == [Thing(name, inner) for name, inner in things]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, min_size=1, max_size=8), st.integers(1, 60), st.data())
def test_whatever_is_cut_off_is_noticed(tmp_path: Path, names: list[str], chunk: int, data: st.DataObject) -> None:
    content = json.dumps([{"name": name} for name in names], ensure_ascii=False).encode()
    kept = data.draw(st.integers(0, len(content) - 1))

    with pytest.raises(BrokenFile):
        read(tmp_path / "things.json", content[:kept], chunk)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize("content", [b"[]", b" [ ]\n", b"\xef\xbb\xbf[]"])
def test_an_empty_array(tmp_path: Path, content: bytes, chunk: int) -> None:
    assert read(tmp_path / "things.json", content, max(chunk, 5)) == []


@pytest.mark.parametrize("chunk", [6, 1000])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  ",
        b"null",
        b"{}",
        b"[",
        b'[{"name": "a"}',
        b'[{"name": "a"},]',
        b'[{"name": "a"} {"name": "b"}]',
        b'[{"name": "a"}]]',
        b'[{"name": "a"}] x',
        b'[{"name": "a"},,{"name": "b"}]',
        b'[{"name": "\xff"}]',
        b"[{'name': 'a'}]",
    ],
)
def test_what_is_no_array_is_refused(tmp_path: Path, content: bytes, chunk: int) -> None:
    with pytest.raises(BrokenFile, match="the things file cannot be read"):
        read(tmp_path / "things.json", content, chunk)


@pytest.mark.parametrize("chunk", [5, 30, 1000])
def test_wrong_elements_are_told_by_their_place(tmp_path: Path, chunk: int) -> None:
    content = json.dumps([{"name": "a"}, {"name": 1}, {}, 5, {"name": "b"}]).encode()

    found = read(tmp_path / "things.json", content, chunk)

    assert [element.position for element in found if isinstance(element, InvalidRecord)] == [2, 3, 4]
    assert [element.name for element in found if isinstance(element, Thing)] == ["a", "b"]
