"""The client of Raito Cloud: login, GraphQL, upload, jobs, import files, export."""

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import (
    ExportUnreadable,
    ImportFailed,
    ImportTimedOut,
    InvalidDomain,
    RaitoError,
    RaitoLoginFailed,
    RaitoRefused,
    RaitoUnreachable,
    UnknownDomain,
    UploadFailed,
)
from raito_pipeline.raito.settings import BASE_URL, RaitoSettings, settings_of

__all__ = [
    "BASE_URL",
    "ExportUnreadable",
    "ImportFailed",
    "ImportTimedOut",
    "InvalidDomain",
    "RaitoClient",
    "RaitoError",
    "RaitoLoginFailed",
    "RaitoRefused",
    "RaitoSettings",
    "RaitoUnreachable",
    "UnknownDomain",
    "UploadFailed",
    "settings_of",
]
