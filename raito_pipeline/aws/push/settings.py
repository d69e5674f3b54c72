"""What `raito.yml` says about the types and names of what a push makes."""

from raito_pipeline.config.groups import PushOptions


def type_of(options: PushOptions, given: str | None) -> str:
    """The type of an access control: the one given, else the account's own."""
    return given or ("aws_role" if options.organization is None else "aws_sso_role")


def affixes(options: PushOptions, kind: str) -> tuple[str, str]:
    """Prefix and suffix of the names of a type."""
    if kind == "aws_policy":
        return options.aws_policy_prefix, options.aws_policy_suffix
    return options.aws_role_prefix, options.aws_role_suffix
