"""Data objects: what S3 and the Glue catalog hold, shaped as Raito Cloud sees it. No calls to AWS are made here."""

from raito_pipeline.aws.data_objects.names import DataObjectName, bucket_full_name, parse_full_name

__all__ = ["DataObjectName", "bucket_full_name", "parse_full_name"]
