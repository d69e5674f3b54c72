"""What Raito Cloud has to know of an access provider type: the part that AWS's side and Raito Cloud's side share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDescription:
    """An access provider type as people of Raito Cloud see it (`setDataSourceMetaData`)."""

    type: str
    """its id, `aws_role` for example: the type of imported access providers and of exported access controls"""
    label: str
    """what people call it"""
    can_be_created: bool
    """people may grant new ones"""
    can_be_assumed: bool
    """people use it by assuming it, so that other access providers may have it in their who"""
    assumable_in_who: bool
    """its own who may hold access providers that can be assumed"""
    common_parent: str | None
    """the type of data object that all of its what has to be below; None = no such rule"""
    identity_store: str | None
    """the type of identity store that its users and groups are of; None = that of the account"""
    organization_only: bool
    """only data sources with an organization have it"""
