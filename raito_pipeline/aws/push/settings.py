"""What `raito.yml` says about names and limits of what a push makes."""

from collections.abc import Sequence
from dataclasses import dataclass

from raito_pipeline.config.patterns import NamePattern


@dataclass(frozen=True, slots=True)
class PushSettings:
    """How AWS objects of access controls are called, and what a push leaves alone."""

    partition: str = "aws"
    organization: bool = False
    role_prefix: str = ""
    role_suffix: str = ""
    policy_prefix: str = ""
    policy_suffix: str = ""
    role_excludes: Sequence[NamePattern] = ()
    """roles that Raito Cloud does not see: policies stay attached to them"""

    def type_of(self, given: str | None) -> str:
        """The type of an access control: the one given, else the account's own."""
        return given or ("aws_sso_role" if self.organization else "aws_role")

    def affixes(self, kind: str) -> tuple[str, str]:
        """Prefix and suffix of the names of a type."""
        if kind == "aws_policy":
            return self.policy_prefix, self.policy_suffix
        return self.role_prefix, self.role_suffix
