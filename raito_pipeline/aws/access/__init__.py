"""Access providers from what AWS says: roles, policies, permission sets and access points, to the letter. Pure."""

from raito_pipeline.aws.access.build import build_access_providers
from raito_pipeline.aws.access.inputs import AccessInputs

__all__ = ["AccessInputs", "build_access_providers"]
