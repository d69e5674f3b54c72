"""How Raito Cloud is reached: the domain is one, the address ends in a slash, and no secret is shown."""

import threading

import pytest

from raito_pipeline.raito.connection import Connection
from raito_pipeline.raito.errors import InvalidDomain

from .conftest import SECRET, connection_to


@pytest.mark.parametrize("domain", ["", "a", "9lives", "under_score", "ends-", "two words", "a\nb"])
def test_a_domain_that_cannot_be_one(domain: str) -> None:
    with pytest.raises(InvalidDomain, match="Correct `domain`"):
        connection_to("", domain=domain)


def test_the_public_address_is_the_default() -> None:
    assert connection_to("").base_url == "https://api.raito.cloud/"
    assert SECRET not in repr(connection_to(""))


def test_settings_are_values() -> None:
    assert connection_to("http://x").base_url == connection_to("http://x/").base_url == "http://x/"
    assert connection_to("http://x") == connection_to("http://x")
    assert isinstance(connection_to("http://x"), Connection)
    assert threading.active_count() < 100
