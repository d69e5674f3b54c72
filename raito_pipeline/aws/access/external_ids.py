"""How the external ids of access providers begin: the prefix says which kind of object of AWS it is."""

ROLE = "role:"
PERMISSION_SET = "ssorole:"
POLICY = "policy:"
ACCESS_POINT = "accesspoint:"
USER = "user:"
GROUP = "group:"
