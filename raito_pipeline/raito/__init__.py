"""The client of Raito Cloud: login, GraphQL, upload, jobs, import files, export."""

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.connection import BASE_URL, Connection
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

__all__ = [
    "BASE_URL",
    "Connection",
    "ExportUnreadable",
    "ImportFailed",
    "ImportTimedOut",
    "InvalidDomain",
    "RaitoClient",
    "RaitoError",
    "RaitoLoginFailed",
    "RaitoRefused",
    "RaitoUnreachable",
    "UnknownDomain",
    "UploadFailed",
]
