"""The Dagster instance that a command records its runs in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg


@contextmanager
def instance_of_this_directory() -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of `DAGSTER_HOME` or of a `dagster.yaml` here; else one that is forgotten at the end."""
    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get() as instance:
            yield instance
    elif Path("dagster.yaml").is_file():
        with dg.DagsterInstance.from_config(str(Path.cwd())) as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
