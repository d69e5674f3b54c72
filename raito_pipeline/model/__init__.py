"""Every row type of the pipeline, declared once.

`TABLES` holds the stored tables by name. A row type is a frozen dataclass whose columns carry their
documentation; `raito_pipeline.model.schema` derives the Arrow schema and `docs/tables.md` from it.
"""

from raito_pipeline.model.access import AccessPoint, AccessProvider, DataObjectReference, WhatItem
from raito_pipeline.model.common import CREATOR, Tag, made_by_raito
from raito_pipeline.model.data_objects import DataObject, S3Bucket
from raito_pipeline.model.iam import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser
from raito_pipeline.model.organization import OrgAccountAssignment, OrgGroup, OrgPermissionSet, OrgUser
from raito_pipeline.model.push import AccessControl, PushChange, PushResult, PushTarget, WhoEntry
from raito_pipeline.model.schema import TABLES, Column, TableSpec, arrow_schema, columns, table_of
from raito_pipeline.model.upload import ImportedKind, ImportElement, ImportResult
from raito_pipeline.model.usage import CloudTrailFile, UsageStatement, UsageUploaded

__all__ = [
    "CREATOR",
    "TABLES",
    "AccessControl",
    "AccessPoint",
    "AccessProvider",
    "CloudTrailFile",
    "Column",
    "DataObject",
    "DataObjectReference",
    "IamAttachment",
    "IamGroup",
    "IamPolicy",
    "IamRole",
    "IamUser",
    "ImportElement",
    "ImportResult",
    "ImportedKind",
    "OrgAccountAssignment",
    "OrgGroup",
    "OrgPermissionSet",
    "OrgUser",
    "PushChange",
    "PushResult",
    "PushTarget",
    "S3Bucket",
    "TableSpec",
    "Tag",
    "UsageStatement",
    "UsageUploaded",
    "WhatItem",
    "WhoEntry",
    "arrow_schema",
    "columns",
    "made_by_raito",
    "table_of",
]
