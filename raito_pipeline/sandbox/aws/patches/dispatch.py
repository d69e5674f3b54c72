"""What an emulated service finds out anew for each request, though it is always the same.

A class's methods are a sixth of the time of a request; models of errors and headers for browsers are a tenth. Of an
answer, names under which an object may have a member, names of elements and its random id are a quarter.
"""

import functools
import json
import random
from types import SimpleNamespace
from typing import Any

import xmltodict  # type: ignore[import-untyped]
from moto.cognitoidp import models
from moto.core import errors, responses, serialize, utils
from moto.moto_server import werkzeug_app

from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

_NAMES = 50_000
"""what is kept of names, at the most"""


def patch_dispatch() -> None:
    """Look once a class, once a package, and once a service."""
    module: Any = responses
    module.method_names_from_class = functools.cache(module.method_names_from_class)
    names: Any = utils
    names.service_name_from_moto_package_name = functools.cache(names.service_name_from_moto_package_name)
    # A factory is made for each error, and would keep what it looks up in itself.
    factory: Any = errors
    factory.ErrorLookupFactory = functools.cache(factory.ErrorLookupFactory)
    server: Any = werkzeug_app
    server.DISABLE_GLOBAL_CORS = True
    _patch_keys()
    _patch_answers()


def _patch_keys() -> None:
    """Read the key of user pools once: all have the same, and reading it takes longer than making a pool."""
    pools: Any = models
    read = functools.cache(lambda text: real.import_key(json.loads(text)))
    real = pools.jwk.RSAKey
    pools.jwk = SimpleNamespace(RSAKey=SimpleNamespace(import_key=lambda key: read(json.dumps(key))))


def _patch_answers() -> None:
    """Look once a class and member for what it may be called there, and once an element for whether XML has such."""
    known: dict[tuple[Any, ...], tuple[str, ...]] = {}

    @replace(serialize.XFormedAttributePicker, "get_possible_keys")
    def names(before: Method, self: Any, context: Any) -> tuple[str, ...]:
        asked = (*self.alias_providers, type(context.obj), context.shape, context.key)
        if asked not in known:
            if len(known) >= _NAMES:
                known.clear()
            known[asked] = tuple(dict.fromkeys(before(self, context)))
        return known[asked]

    xml: Any = xmltodict
    xml._validate_name = functools.lru_cache(_NAMES)(xml._validate_name)
    answering: Any = responses
    answering.gen_amzn_requestid_long = _request_id


_ids = random.Random()


def _request_id(headers: dict[str, Any] | None = None) -> str:
    """52 letters and digits, at once: one by one they take longer than what many a call asks for."""
    made = f"{_ids.getrandbits(208):052X}"
    if headers is not None:
        headers["x-amzn-requestid"] = made
    return made
