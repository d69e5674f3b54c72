"""How the external ids of access providers begin: the prefix says which kind of object of AWS it is."""

import re

ROLE = "role:"
PERMISSION_SET = "ssorole:"
POLICY = "policy:"
ACCESS_POINT = "accesspoint:"
BUCKET_POLICY = "bucketpolicy:"
USER = "user:"
GROUP = "group:"

RESERVED_ROLE = re.compile(r"AWSReservedSSO_(?P<permission_set>.+)_[0-9a-fA-F]{16}")
"""The role that Identity Center makes of a permission set in an account.

https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""


def permission_set_name(name: str) -> str:
    """The permission set that an external id names, without its prefix: by its own name or by its reserved role."""
    match = RESERVED_ROLE.fullmatch(name)
    return match["permission_set"] if match else name


def is_reserved(role_name: str) -> bool:
    """True for the role of a permission set: AWS lets Identity Center alone change it."""
    return role_name.startswith("AWSReservedSSO_")
