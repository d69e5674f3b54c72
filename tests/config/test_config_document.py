"""The file as text with lines: nothing is converted, and what is not YAML is told by line, without the text itself."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from raito_pipeline.config.document import Items, Node, Scalar, Section, parse
from raito_pipeline.config.problems import Problem

from .conftest import SECRET


def section(text: str) -> Section:
    root, problems = parse(text, "raito.yml")
    assert problems == []
    assert isinstance(root, Section)
    return root


def plain(node: Node | None) -> object:
    if isinstance(node, Scalar):
        return None if node.null else node.text
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {name: plain(value) for name, value in node.entries.items()} if node else None


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("012345678901", "012345678901"),
        ("123456789012", "123456789012"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("yes", "yes"),
        ("True", "True"),
        ("1e3", "1e3"),
        ("2024-01-01", "2024-01-01"),
        ("12:30:45", "12:30:45"),
        ('"{{NAME}}"', "{{NAME}}"),
        ("Amazon.+,AWS.+", "Amazon.+,AWS.+"),
        ("a # comment", "a"),
        ("", None),
        ("~", None),
        ("null", None),
        ('""', ""),
        ('"null"', "null"),
        ("[a, 007]", ["a", "007"]),
    ],
)
def test_values_stay_as_written(written: str, text: object) -> None:
    assert plain(section(f"option: {written}\n").entries["option"]) == text


def test_lines_and_names() -> None:
    root = section("# comment\nFirst: 1\n\nsecond:\n  - a\n  - b\n")
    assert root.lines == {"first": 2, "second": 4}
    second = root.entries["second"]
    assert isinstance(second, Items)
    assert [item.line for item in second.items] == [5, 6]


def test_merges_give_way_to_the_own_value() -> None:
    root = section("base: &base\n  a: 1\n  b: 2\nmine:\n  b: 3\n  <<: *base\nmore:\n  <<: [*base, {c: 4}]\n")
    assert plain(root.entries["mine"]) == {"b": "3", "a": "1"}
    assert plain(root.entries["more"]) == {"a": "1", "b": "2", "c": "4"}


def test_an_unquoted_template_is_known_as_one() -> None:
    domain = section("domain: {{DOMAIN}}\n").entries["domain"]
    assert isinstance(domain, Section)
    assert domain.template


@pytest.mark.parametrize("with_libyaml", [False, True])
def test_tabs_between_the_words_of_a_line_are_blanks(monkeypatch: pytest.MonkeyPatch, with_libyaml: bool) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", with_libyaml and yaml.__with_libyaml__)
    root = section("domain:\tacme\t# the domain\nids: [a,\tb]\t\nuser: u\t\ntext: 'a\tb'\n")
    assert {name: plain(node) for name, node in root.entries.items()} == {
        "domain": "acme",
        "ids": ["a", "b"],
        "user": "u",
        "text": "a\tb",
    }


def test_what_is_aliased_is_known_by_where_it_stands() -> None:
    root = section("of: &one {a: 1}\nmore: {two: &two [b]}\nalone: {c: &c 1}\nuses:\n  <<: *one\n  d: *two\n")
    assert root.aliased == {"of", "more"}


BROKEN = {
    "tab in a list": (f"api-user: u\nlist:\n-\tapi-secret: {SECRET}\n", 3, "a tab where YAML allows none"),
    "tab": (f"api-user: u\n\tapi-secret: {SECRET}\n", 2, "a tab before the text"),
    "quote": (f'api-user: u\napi-secret: "{SECRET}\ndomain: acme\n', 4, "not YAML"),
    "alias": (f"api-secret: *{SECRET}\n", 1, "not YAML"),
    "tag handle": (f"api-secret: !{SECRET}!x y\n", 1, "not YAML"),
    "indent": (f"api-user: u\n  api-secret: {SECRET}\n", 2, "not YAML"),
    "special": (f"api-secret: @{SECRET}\n", 1, "not YAML"),
    "control": (f"api-secret: {SECRET}\x07\n", None, "not YAML"),
    "bracket": (f"targets: [{SECRET}\n", 2, "not YAML"),
    "two documents": (f"a: b\n---\napi-secret: {SECRET}\n", 2, "not YAML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_yaml_is_told_by_line_and_without_the_text(name: str) -> None:
    text, line, found = BROKEN[name]
    root, (problem,) = parse(text, "raito.yml")
    assert root is None
    assert problem.line == line
    assert found in problem.found
    assert SECRET not in str(problem)


def test_a_name_given_twice() -> None:
    _, (problem,) = parse("domain: a\napi-user: u\nDomain: b\n", "raito.yml")
    assert str(problem) == (
        'raito.yml:3: option "Domain": found the name a second time (first in line 1), expected each name once'
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("? [a, b]\n: c\n", "not plain text"),
        ("a:\n  <<: text\n", "merge"),
        ("a: &a\n  b: *a\n", "nested in themselves"),
    ],
)
def test_odd_mappings_are_problems_not_crashes(text: str, found: str) -> None:
    _, problems = parse(text, "raito.yml")
    assert any(found in problem.found for problem in problems)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_an_empty_file_has_no_document(text: str) -> None:
    assert parse(text, "raito.yml") == (None, [])


def test_a_value_does_not_print() -> None:
    assert SECRET not in repr(section(f"api-secret: {SECRET}\nother: [{SECRET}]\n"))


DEEP = {
    "flow": "a: " + "[" * 100_000,
    "closed flow": "a: " + "{a: " * 3_000 + "}" * 3_000,
    "one line": "- " * 5_000 + "a",
    "many lines": "".join(f"{' ' * n}a:\n" for n in range(300)),
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting_is_one_problem_and_ends_no_process(name: str) -> None:
    root, (problem,) = parse(DEEP[name], "raito.yml")
    assert root is None
    assert "more than 20 levels deep" in problem.found
    assert problem.line is not None


@pytest.mark.parametrize("holder", ["[{}]", "{{<<: [{}]}}"])
def test_aliases_that_multiply_are_one_problem(holder: str) -> None:
    lines = ["a0: &a0 {x: 1}\n"]
    for level in range(1, 10):
        lines.append(f"a{level}: &a{level} {holder.format(', '.join([f'*a{level - 1}'] * 10))}\n")
    root, (problem,) = parse("".join(lines), "raito.yml")
    assert root is None
    assert "aliases" in problem.found


LINES = st.sampled_from([
    "api-user: robot", "aws-profile: ''", 'domain: "a: b # c"', "targets:", "- name: one", "  - name: two",
    "- {a: 1, b: }", "  aws-regions: eu-west-1,eu-central-1", "aws-account-id: 012345678901", "# comment", "", "  ",
    "empty:", "null: ~", "list: [a, 007, ]", "text: |", "    more of it", "folded: >-", "anchor: &here", "alias: *here",
    "<<: *here", "---", "...", "key: 'two", "  lines'", "unclosed: [", "é: ü", "a : b", "- - deep", "x: !tag y",
    "template: {{NAME}}", "before:\ta comment\t# in line", "behind: it\t", "list:\t[a,\tb]\t# two", "-\tdash",
    "within: a\tb", "\tindented: x", "quoted: 'a\tb'\t", "- a\t", "two\tlines: of\t", "  a text\t\tit is",
])  # fmt: skip


def seen(text: str) -> tuple[Node | None, list[Problem]]:
    """What a document holds; an empty one has no line."""
    root, problems = parse(text, "raito.yml")
    return (None if isinstance(root, Scalar) and root.null else root), problems


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML has no libyaml here")
@given(st.lists(LINES, max_size=12).map("\n".join))
@settings(max_examples=200)
def test_both_parsers_of_yaml_see_the_same(text: str) -> None:
    with_libyaml = seen(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", False)
        assert seen(text) == with_libyaml


@pytest.mark.parametrize("with_libyaml", [True, False])
@pytest.mark.parametrize(
    ("value", "sign"),
    [
        ("!ENV NAME", True),
        ("!hunter2", True),
        ("&hunter2", True),
        ("", False),
        ("&name value", False),
        ("'!hunter2'", False),
        ("!!str 012", False),
        ("   # a comment", False),
    ],
)
def test_a_tag_and_an_anchor_without_a_value_are_known(
    monkeypatch: pytest.MonkeyPatch, value: str, sign: bool, with_libyaml: bool
) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", with_libyaml)
    section, problems = parse(f"api-secret: {value}\nother: x\n", "raito.yml")
    assert not problems
    assert isinstance(section, Section)
    secret = section.entries["api-secret"]
    assert isinstance(secret, Scalar)
    assert secret.sign is sign


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a: 1\nb: *logs\n", 2, "`*` or `&` in quotes"),
        ("a: 1\ncron: * 6 * * *\n", 2, "`*` or `&` in quotes"),
        ("a: 1\nb: %x\n", 2, "begins with this character in quotes"),
        ('a: 1\nb: "C:\\Users"\n', 2, "backslashes in single quotes"),
        ("a: 1\nb: c: d\n", 2, "holds `: ` in quotes"),
        ("a: 1\nbc\n", 2, "blank behind the colon"),
        ("a:\n  b: 1\n  c:d\ne: 1\n", 3, "blank behind the colon"),
        ("a: 1\n---\nb: 1\n", 2, "one document"),
        ('a: "x\nb: "y"\n', 2, "each quote closed"),
    ],
)
def test_what_is_not_yaml_is_told_with_what_to_do(text: str, line: int, hint: str) -> None:
    _, [problem] = parse(text, "raito.yml")
    assert problem.line == line
    assert problem.expected is not None
    assert hint in problem.expected
