"""The embedded estate: an organization with three accounts, as real ones are, oddities included."""

from raito_pipeline.sandbox.aws.estate.build import build_estate
from raito_pipeline.sandbox.aws.estate.model import Account, Estate, EstateSettings

__all__ = ["Account", "Estate", "EstateSettings", "build_estate"]
