"""The files that the pipeline sends to Raito Cloud: rows -> JSON elements -> one JSON array a file.

Every file is written in a stream, in the order of its rows, so that equal rows give equal bytes.
"""

from raito_pipeline.raito.files.access_providers import access_provider_element, write_access_providers
from raito_pipeline.raito.files.data_objects import data_object_elements, write_data_objects
from raito_pipeline.raito.files.feedback import feedback_elements, write_feedback
from raito_pipeline.raito.files.identities import (
    account_group,
    account_user,
    organization_group,
    organization_user,
    root_user,
    write_account_identities,
    write_organization_identities,
)
from raito_pipeline.raito.files.tags import TAG_SOURCE
from raito_pipeline.raito.files.usage import usage_elements, write_usage
from raito_pipeline.raito.files.writer import ImportFile, JsonArrayWriter, write_json_array

__all__ = [
    "TAG_SOURCE",
    "ImportFile",
    "JsonArrayWriter",
    "access_provider_element",
    "account_group",
    "account_user",
    "data_object_elements",
    "feedback_elements",
    "organization_group",
    "organization_user",
    "root_user",
    "usage_elements",
    "write_access_providers",
    "write_account_identities",
    "write_data_objects",
    "write_feedback",
    "write_json_array",
    "write_organization_identities",
    "write_usage",
]
