"""The names of an emulated service's methods: it would look through its class anew for each request."""

import functools
from typing import Any

from moto.core import responses


def patch_dispatch() -> None:
    """Look once a class: that is a sixth of the time of a request."""
    module: Any = responses
    module.method_names_from_class = functools.cache(module.method_names_from_class)
