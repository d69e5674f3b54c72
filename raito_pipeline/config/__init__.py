"""`raito.yml` -> frozen options. Every option is declared in `groups.py`, `options.py` or `discovery.py`."""

from raito_pipeline.config.groups import OrganizationLink
from raito_pipeline.config.load import find_config, load, load_content
from raito_pipeline.config.options import AccountTarget, Options, OrganizationTarget, Pipeline
from raito_pipeline.config.problems import ConfigError, Problem

__all__ = [
    "AccountTarget",
    "ConfigError",
    "Options",
    "OrganizationLink",
    "OrganizationTarget",
    "Pipeline",
    "Problem",
    "find_config",
    "load",
    "load_content",
]
