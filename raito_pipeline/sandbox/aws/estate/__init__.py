"""The embedded estate: an organization with three accounts, as real ones are, oddities included."""

from raito_pipeline.sandbox.aws.estate.build import build_estate
from raito_pipeline.sandbox.aws.estate.model import Estate, EstateAccount, EstateSettings

__all__ = ["Estate", "EstateAccount", "EstateSettings", "build_estate"]
