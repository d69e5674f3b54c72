"""`raito.yml` -> frozen options. Everything that the pipeline can be told is declared in `options.py`."""

from raito_pipeline.config.describe import OptionDoc, describe, render_markdown
from raito_pipeline.config.load import find_config, load
from raito_pipeline.config.options import (
    AccountTarget,
    Locks,
    Options,
    OrganizationLink,
    OrganizationTarget,
    Pipeline,
)
from raito_pipeline.config.problems import ConfigError, Problem

__all__ = [
    "AccountTarget",
    "ConfigError",
    "Locks",
    "OptionDoc",
    "Options",
    "OrganizationLink",
    "OrganizationTarget",
    "Pipeline",
    "Problem",
    "describe",
    "find_config",
    "load",
    "render_markdown",
]
