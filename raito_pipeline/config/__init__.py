"""`raito.yml` -> frozen options. Every option is declared in `groups.py` or `options.py`."""

from raito_pipeline.config.describe import OptionDoc, describe, render_markdown
from raito_pipeline.config.groups import Locks, OrganizationLink
from raito_pipeline.config.load import find_config, load, load_content
from raito_pipeline.config.options import AccountTarget, Options, OrganizationTarget, Pipeline
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
    "load_content",
    "render_markdown",
]
