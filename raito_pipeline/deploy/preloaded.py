"""What is loaded once for all runs of a code server: importing this module is all that it is for.

It begins no thread of Python, which would not be there in a fork. What the libraries begin below it (OpenBLAS,
jemalloc) they end and begin anew around a fork themselves.
"""

from contextlib import suppress
from importlib import import_module

from raito_pipeline.loading import modules_stay

_INSTALLED_OR_NOT = ("dagster_postgres", "psycopg2", "dagster_aws.s3")
"""where a deployment keeps its history, and what runs print"""

with modules_stay():
    import raito_pipeline.component  # noqa: F401

    for _name in _INSTALLED_OR_NOT:
        with suppress(ImportError):
            import_module(_name)
