"""Names and messages of others in Markdown: they are shown as they are."""

import pytest

from raito_pipeline.orchestration.recording.markdown import code, diff_block, plain
from raito_pipeline.orchestration.recording.previews import bullets


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("[click](https://example.com)", r"\[click\](https://example.com)"),
        ("<img src=x onerror=alert(1)>", r"\<img src=x onerror=alert(1)\>"),
        ("arn:aws:s3:::data_*", r"arn:aws:s3:::data\_\*"),
        ("one\n# two\n- three", r"one \# two - three"),
        ("a|b~~c~~ `d`", r"a\|b\~\~c\~\~ \`d\`"),
    ],
)
def test_nothing_is_made_of_a_text(text: str, escaped: str) -> None:
    assert plain(text) == escaped
    assert bullets([text]).md_str == f"- {escaped}"


@pytest.mark.parametrize(
    ("text", "written"), [("a_b", "`a_b`"), ("a`b", "``a`b``"), ("`a``", "``` `a`` ```"), ("a\nb", "`a b`")]
)
def test_code_ends_where_it_ends(text: str, written: str) -> None:
    assert code(text) == written


def test_no_line_of_a_block_ends_it() -> None:
    assert diff_block(["+a", "```", "<script>"]) == ["````diff", "+a", "```", "<script>", "````"]
    assert diff_block([]) == ["```diff", "```"]
