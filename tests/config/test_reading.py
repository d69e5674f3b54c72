"""Options out of sections of a file: which layer wins, what is filled in, and what is said of the rest."""

from typing import Any

import pytest

from raito_pipeline.config import kinds
from raito_pipeline.config.deferred import Deferred
from raito_pipeline.config.document import Items, Scalar, Section
from raito_pipeline.config.option import Declared, Option
from raito_pipeline.config.problems import Problem
from raito_pipeline.config.reading import WRONG, OptionLayer, Reader, is_placeholder, secrets_of, without_secrets


def layer(target: str | None = None, **entries: Any) -> OptionLayer:
    nodes = {name.replace("_", "-"): _node(value) for name, value in entries.items()}
    return OptionLayer("raito.yml", Section(nodes, 1, dict.fromkeys(nodes, 7)), target)


def _node(value: Any) -> Any:
    if isinstance(value, list):
        return Items(tuple(Scalar(each, 7) for each in value), 7)
    return value if isinstance(value, Section) else Scalar(value, 7)


def option(kind: kinds.Kind, name: str = "some", *more: str, deferrable: bool = False, default: Any = None) -> Declared:
    return Declared(name, Option(kind, "", (name, *more), deferrable=deferrable), default)


def read(declared: Declared, *layers: OptionLayer, **environ: str) -> tuple[Any, Reader]:
    reader = Reader(environ)
    return reader.option(declared, layers), reader


def test_the_first_layer_that_gives_an_option_wins() -> None:
    text = option(kinds.TEXT)
    assert read(text, layer(some="target"), layer(some="file"))[0] == "target"
    assert read(text, layer(), layer(some="file"))[0] == "file"
    assert read(text, layer(), layer())[0] is None


def test_of_two_spellings_the_preferred_one_counts_and_the_other_is_said() -> None:
    value, reader = read(option(kinds.TEXT, "new", "old"), layer(new="a", old="b"))
    assert value == "a"
    assert [(each.option, each.found) for each in reader.warnings] == [("old", "the option besides `new`")]


def test_a_variable_is_filled_in_and_one_that_is_not_set_is_a_problem() -> None:
    assert read(option(kinds.TEXT), layer(some="{{ NAME }}"), NAME="x")[0] == "x"
    value, reader = read(option(kinds.TEXT), layer(some="{{NAME}}"))
    assert value is WRONG
    assert "the environment variable NAME to be set" in str(next(iter(reader.problems)))
    assert read(option(kinds.TEXT), layer(some="a {{NAME}} b"))[0] == "a {{NAME}} b", "not the whole text"


def test_what_is_read_when_it_is_used_needs_no_variable_now_and_others_do() -> None:
    for text in ("{{NAME}}", "{{secretsmanager:name}}", "{{ssm:/name}}"):
        assert isinstance(read(option(kinds.SECRET, deferrable=True), layer(some=text))[0], Deferred)
    assert read(option(kinds.TEXT), layer(some="{{ssm:/name}}"))[0] is WRONG


@pytest.mark.parametrize("given", [["a", "b"], Section({}, 7, {})])
def test_a_shape_that_is_not_the_options_is_a_problem(given: Any) -> None:
    value, reader = read(option(kinds.FLAG), layer(some=given))
    assert value is WRONG
    assert len(reader.problems) == 1


def test_a_text_is_split_at_commas_and_items_of_a_list_are_not() -> None:
    assert read(option(kinds.REGIONS), layer(some="eu-west-1, us-east-1,"))[0] == ("eu-west-1", "us-east-1")
    patterns, _ = read(option(kinds.PATTERNS), layer(some=["a{1,2}", "b"]))
    assert len(patterns) == 2
    assert read(option(kinds.PATTERNS), layer(some="a{1,2}"))[0] is WRONG


def test_an_empty_value_is_the_default() -> None:
    assert read(option(kinds.TEXT, default="d"), layer(some=" "))[0] == "d"
    assert read(option(kinds.REGIONS), layer(some=""))[0] == ()


def test_a_placeholder_waits_until_somebody_needs_the_value() -> None:
    value, reader = read(option(kinds.TEXT), layer(some="<your id>"))
    assert (value, len(reader.placeholders), reader.problems) == ("<your id>", 1, {})
    assert is_placeholder(" <your id> ")
    assert is_placeholder("<<Data source ID>>")
    assert not is_placeholder("a <b>")
    assert read(option(kinds.FLAG), layer(some="<yes>"))[0] is WRONG


def test_what_is_secret_is_in_no_problem() -> None:
    document = Section({"api-secret": Scalar("hunter2 ", 1), "domain": Scalar("{{TOKEN}}", 2)}, 1, {})
    secrets = secrets_of(document, {"TOKEN": "t0ken"})
    assert {"hunter2", "t0ken"} <= secrets
    problems = [Problem("f", 3, None, "b", "hunter2 here", None), Problem("f", 1, None, "a", "t0ken", None)]
    shown = without_secrets(problems, secrets)
    assert [each.line for each in shown] == [1, 3]
    assert "hunter2" not in str(shown)
    assert "t0ken" not in str(shown)


@pytest.mark.parametrize("text", ["${NAME}", "$NAME", "%NAME%", "s3://tables/${stage}", "$HOME/raito"])
def test_a_variable_in_the_way_of_a_shell_is_said(text: str) -> None:
    value, reader = read(option(kinds.TEXT), layer(some=text), NAME="x")
    assert value == text
    assert ["in the way of a shell" in each.found for each in reader.warnings] == [True]


@pytest.mark.parametrize(
    ("kind", "name", "text", "said"),
    [
        (kinds.SECRET, "api-secret", "${RAITO_API_SECRET}", True),
        (kinds.SECRET, "api-secret", "pa$SWORD%ABC%", False),
        (kinds.PATTERNS, "some", "^dev$|$PROD", False),
        (kinds.TEXT, "some", "costs $5, 20% or 50%", False),
    ],
)
def test_what_may_hold_the_signs_of_a_shell_is_left_alone(kind: kinds.Kind, name: str, text: str, said: bool) -> None:
    _, reader = read(option(kind, name), layer(**{name: text}))
    assert bool(reader.warnings) is said
    assert not any(text in str(each) for each in reader.warnings)


def test_a_variable_that_is_empty_is_named_where_it_is_asked_for() -> None:
    value, reader = read(option(kinds.TEXT), layer(some="{{NAME}}"), NAME="")
    assert value is None
    assert [(each.line, "NAME, which is empty" in each.found) for each in reader.warnings] == [(7, True)]


@pytest.mark.parametrize("kind", [kinds.PATH, kinds.STORAGE, kinds.TEXT, kinds.PATTERNS, kinds.TEXTS])
@pytest.mark.parametrize("text", ["C:\raito\x08ackup", "C:\temp", "a\nb"])
def test_what_yaml_makes_of_backslashes_in_double_quotes_is_refused(kind: kinds.Kind, text: str) -> None:
    assert read(option(kind), layer(some=text))[0] is WRONG
    if kind.is_list:
        assert read(option(kind), layer(some=[text]))[0] is WRONG


def test_a_secret_may_hold_anything() -> None:
    assert read(option(kinds.SECRET, "api-secret"), layer(api_secret="a\tb"))[0].get_secret_value() == "a\tb"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\nb", "U+000A"),
        ("\ufeffa", "U+FEFF"),
        ("a\u00a0b", "U+00A0"),
        ("{{NAME}", "none"),
        ("{{}}", "none"),
        ("a b", ""),
    ],
)
def test_what_of_a_secret_cannot_be_meant_is_said(text: str, said: str) -> None:
    _, reader = read(option(kinds.SECRET, "api-secret"), layer(**{"api-secret": text}))
    assert [said in each.found for each in reader.warnings] == ([True] if said else [])


def test_a_sign_of_yaml_in_front_of_a_value_is_no_value() -> None:
    given = OptionLayer("raito.yml", Section({"some": Scalar("RAITO_USER", 7, sign=True)}, 1, {"some": 7}))
    value, reader = read(option(kinds.TEXT), given)
    assert value is WRONG
    [problem] = reader.problems
    assert "in quotes" in str(problem)
    assert "RAITO_USER" not in str(problem)
