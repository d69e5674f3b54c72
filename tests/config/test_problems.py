"""What is wrong with a configuration, in words that show no secret."""

import pickle
import time

import pytest

from raito_pipeline.config.problems import ConfigError, Problem, is_secret_name, safe_name, shown


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("api-secret", True),
        ("RAITO_API_KEY", True),
        ("PASSWORD", True),
        ("session-token", True),
        ("aws-regions", False),
    ],
)
def test_names_that_say_that_their_value_is_secret(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret
    assert (shown("hunter22", option=name) == '"hunter22"') is not secret


def test_a_value_is_shown_on_one_line_and_cut() -> None:
    assert shown("a\n  b") == '"a b"'
    assert shown("x" * 81) == f'"{"x" * 77}..."'
    assert shown("x" * 80) == f'"{"x" * 80}"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("https://ann:hunter22@host/x", "https://***@host/x"),
        ("s3://AKIA:hunter22/a@b@bucket/x", "s3://***@bucket/x"),
        ("see https://hunter22@host now", "see https://***@host now"),
        ("https://host/ann@example.com", "https://host/ann@example.com"),
        ("ann@example.com", "ann@example.com"),
    ],
)
def test_who_logs_in_at_an_address_is_not_shown(value: str, text: str) -> None:
    assert shown(value) == f'"{text}"'


def test_no_value_takes_long_to_show() -> None:
    began = time.process_time()
    for value in ("x://" + ":" * 500_000, "x://" * 200_000, "://@:" * 200_000):
        assert len(shown(value)) < 100
    assert time.process_time() - began < 5


def test_a_name_that_holds_more_than_a_name_is_cut_before_it() -> None:
    assert safe_name("aws-regions") == "aws-regions"
    assert safe_name("api-secret hunter22") == "api-secret..."
    assert safe_name("hunter 22") == "hunter..."
    assert safe_name(" x") == "..."


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("r.yml", 3, "a", "cron", "x", "y"), 'r.yml:3: target "a", option "cron": found x, expected y'),
        (Problem("r.yml", None, None, None, "x"), "r.yml: found x"),
        (Problem("r.yml", 1, None, "cron", "x"), 'r.yml:1: option "cron": found x'),
    ],
)
def test_a_problem_says_where_it_is(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_secrets_are_blanked_out_of_every_text_but_not_parts_of_words() -> None:
    problem = Problem("r.yml", 1, "hunter22", "is hunter22", "hunter22 and no", "not hunter22")

    masked = problem.without(["hunter22", "no"])

    assert str(masked) == 'r.yml:1: target "***", option "is ***": found *** and no, expected not ***'
    assert Problem("r.yml", 1, None, None, "x").without(["hunter22"]) == Problem("r.yml", 1, None, None, "x")


def test_an_error_names_every_problem_and_survives_another_process() -> None:
    one, two = Problem("r.yml", 1, None, "a", "x"), Problem("r.yml", 2, None, "b", "y")
    error = ConfigError([one, two], [one])

    assert str(error).splitlines() == [
        "The configuration has 2 problems:",
        '  r.yml:1: option "a": found x',
        '  r.yml:2: option "b": found y',
        "Noticed besides:",
        '  r.yml:1: option "a": found x',
    ]
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, again.warnings) == ((one, two), (one,))
    assert str(ConfigError([one])).startswith("The configuration has a problem:")
