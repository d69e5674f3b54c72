"""What an emulated service finds out anew for each request, though it is always the same.

A class's methods are a sixth of the time of a request; models of errors and headers for browsers are a tenth.
"""

import functools
from typing import Any

from moto.core import errors, responses, utils
from moto.moto_server import werkzeug_app


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
