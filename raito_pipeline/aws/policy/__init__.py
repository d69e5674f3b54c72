"""IAM policies, read to the letter: documents in, permissions and principals and reasons out. Pure."""

from raito_pipeline.aws.policy.documents import Document, Statement, read_document
from raito_pipeline.aws.policy.what import Claim, Scope, What, what_of

__all__ = ["Claim", "Document", "Scope", "Statement", "What", "read_document", "what_of"]
