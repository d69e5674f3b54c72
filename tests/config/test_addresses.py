"""Which addresses may be spoken to without TLS: those of this machine."""

import pytest

from raito_pipeline.config.addresses import is_exposed

from .conftest import Fails, Loads, raito_yml


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "http://10.0.0.7:8080/",
        "http://localhost.example.com/",
        "http://[2001:db8::1]/",
        "http://127.0.0.1.example.com/",
    ],
)
def test_plain_http_to_another_machine_is_exposed(url: str, loads: Loads, fails: Fails) -> None:
    assert is_exposed(url)
    text = raito_yml(top=f"raito-url-override: {url}\n")
    (problem,) = fails(text)
    assert (problem.option, problem.line) == ("raito-url-override", 1)
    assert "allow-plain-http" in problem.expected

    allowed = loads(f"{text}pipeline:\n  allow-plain-http: true\n")
    assert allowed.raito_url_override == url


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/",
        "http://127.0.0.1:8080/",
        "http://localhost/",
        "http://[::1]:1/",
        "http://a.localhost/",
    ],
)
def test_tls_and_this_machine_are_not(url: str, loads: Loads) -> None:
    assert not is_exposed(url)
    assert loads(raito_yml(top=f"raito-url-override: {url}\n")).raito_url_override == url
