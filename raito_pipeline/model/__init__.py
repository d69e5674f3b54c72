"""Every stored table of the pipeline, declared once.

`TABLES` holds the stored tables by name (`model.tables`: what derives from a declaration). A row type is a frozen
dataclass whose columns carry their documentation; `raito_pipeline.model.schema` derives the Arrow schema from it.
"""

from raito_pipeline.model.access import (
    INCOMPLETE_BY,
    AccessBasis,
    AccessPoint,
    AccessProvider,
    DataObjectReference,
    EffectiveAccess,
    WhatItem,
)
from raito_pipeline.model.common import CREATOR, RAITO_ACCOUNT, Tag, made_by_raito
from raito_pipeline.model.data_objects import DataObject, S3Bucket, S3BucketPolicy
from raito_pipeline.model.iam import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser, is_aws_managed
from raito_pipeline.model.organization import (
    OrgAccount,
    OrgAccountAssignment,
    OrgControlPolicy,
    OrgGroup,
    OrgPermissionSet,
    OrgPolicyTarget,
    OrgUser,
)
from raito_pipeline.model.push import (
    EMPTY_WHO,
    AccessControl,
    Assignee,
    PushBucket,
    PushChange,
    PushOrphan,
    PushPermissionSet,
    PushPrincipal,
    PushResult,
    PushTarget,
    WhoEntry,
)
from raito_pipeline.model.schema import Column, arrow_schema, columns
from raito_pipeline.model.tables import TABLES, Layer, Outside, TableSpec, check_tables, table_of, upstream_tables
from raito_pipeline.model.upload import ImportedKind, ImportElement, ImportResult
from raito_pipeline.model.usage import AccessedObject, CloudTrailFile, UsageStatement, UsageUploaded
from raito_pipeline.model.without_pandas import leave_pandas_out

leave_pandas_out()

__all__ = [
    "CREATOR",
    "EMPTY_WHO",
    "INCOMPLETE_BY",
    "RAITO_ACCOUNT",
    "TABLES",
    "AccessBasis",
    "AccessControl",
    "AccessPoint",
    "AccessProvider",
    "AccessedObject",
    "Assignee",
    "CloudTrailFile",
    "Column",
    "DataObject",
    "DataObjectReference",
    "EffectiveAccess",
    "IamAttachment",
    "IamGroup",
    "IamPolicy",
    "IamRole",
    "IamUser",
    "ImportElement",
    "ImportResult",
    "ImportedKind",
    "Layer",
    "OrgAccount",
    "OrgAccountAssignment",
    "OrgControlPolicy",
    "OrgGroup",
    "OrgPermissionSet",
    "OrgPolicyTarget",
    "OrgUser",
    "Outside",
    "PushBucket",
    "PushChange",
    "PushOrphan",
    "PushPermissionSet",
    "PushPrincipal",
    "PushResult",
    "PushTarget",
    "S3Bucket",
    "S3BucketPolicy",
    "TableSpec",
    "Tag",
    "UsageStatement",
    "UsageUploaded",
    "WhatItem",
    "WhoEntry",
    "arrow_schema",
    "columns",
    "is_aws_managed",
    "made_by_raito",
    "table_of",
    "upstream_tables",
]

check_tables()
