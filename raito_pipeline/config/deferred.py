"""Values of `raito.yml` that are read when they are used: from the environment, Secrets Manager or Parameter Store.

    api-secret: "{{NAME}}"                      the environment variable NAME
    api-secret: "{{secretsmanager:NAME}}"       the secret NAME (or its ARN) of AWS Secrets Manager
    api-secret: "{{secretsmanager:NAME:KEY}}"   the value of KEY in it, where the secret is a JSON object
    api-secret: "{{ssm:/NAME}}"                 the parameter /NAME (or its ARN) of AWS Systems Manager

So a file loads where nobody may read its secrets: Dagster shows its assets, and `raito-pipeline info` answers. This
module knows how such a value is written; `raito_pipeline.orchestration.deferred_values` reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from raito_pipeline.config.problems import Problem, safe_name

_SECRET = re.compile(
    r"(?P<name>arn:aws[a-z-]*:secretsmanager:[^:\s]+:\d{12}:secret:[^:\s]+|[^:\s]+)(?::(?P<key>[^:\s]+))?"
)
_PARAMETER = re.compile(r"(?P<name>arn:aws[a-z-]*:ssm:[^:\s]+:\d{12}:parameter/[^\s]+|[A-Za-z0-9_./-]+)")


class ValueSource(StrEnum):
    """Where a value is read."""

    ENVIRONMENT = "environment"
    SECRETS_MANAGER = "secretsmanager"
    PARAMETER_STORE = "ssm"


@dataclass(frozen=True)
class Reference:
    """What stands between the braces: `key` is the member of a secret that is a JSON object."""

    source: ValueSource
    name: str
    key: str | None = None

    def __str__(self) -> str:
        if self.source is ValueSource.ENVIRONMENT:
            return f"the environment variable {safe_name(self.name)}"
        what = "secret" if self.source is ValueSource.SECRETS_MANAGER else "parameter"
        service = "AWS Secrets Manager" if self.source is ValueSource.SECRETS_MANAGER else "AWS Parameter Store"
        member = f" (its member {self.key!r})" if self.key else ""
        return f"the {what} {self.name!r}{member} of {service}"


class NoReference(ValueError):
    """What stands between the braces names a service and nothing in it; the text says what would."""


def read_reference(text: str) -> Reference:
    """What `text`, the inside of `{{...}}`, stands for. Raises `NoReference`."""
    source, _, rest = text.partition(":")
    if source == ValueSource.SECRETS_MANAGER:
        match = _SECRET.fullmatch(rest.strip())
        if match is None:
            raise NoReference("`{{secretsmanager:NAME}}` or `{{secretsmanager:NAME:KEY}}`")
        return Reference(ValueSource.SECRETS_MANAGER, match["name"], match["key"])
    if source == ValueSource.PARAMETER_STORE:
        match = _PARAMETER.fullmatch(rest.strip())
        if match is None:
            raise NoReference("`{{ssm:/NAME}}`")
        return Reference(ValueSource.PARAMETER_STORE, match["name"])
    return Reference(ValueSource.ENVIRONMENT, text)


@dataclass(frozen=True)
class Deferred:
    """A value that is still to be read: `place` is where the file asks for it, `attribute` what it becomes."""

    attribute: str
    reference: Reference
    file: str
    line: int | None
    target: str | None
    option: str

    def problem(self, expected: str) -> Problem:
        """The problem of a value that cannot be read."""
        return Problem(self.file, self.line, self.target, self.option, str(self.reference), expected)

    @property
    def place(self) -> str:
        """Where to look, for messages."""
        return self.problem("").place
