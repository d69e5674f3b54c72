"""STS: a role that does not exist cannot be assumed, and AWS does not tell whether it exists."""

import re
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.sts.exceptions import STSClientError
from moto.sts.responses import TokenResponse

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

_ROLE_ARN = re.compile(r"arn:aws:iam::(\d{12}):role/\S+")


class _AccessDenied(STSClientError):
    def __init__(self, caller: str, role_arn: str) -> None:
        super().__init__(
            "AccessDenied", f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        )


def patch_sts() -> None:
    """Refuse to assume roles that do not exist."""

    @replace(TokenResponse, "assume_role")
    def assume_role(before: Method, self: TokenResponse) -> Any:
        role_arn = str(self._get_param("RoleArn"))
        match = _ROLE_ARN.fullmatch(role_arn)
        try:
            if match is None:
                raise NotFoundException(f"{role_arn} is no role")
            iam_of(match[1]).get_role_by_arn(role_arn)
        except NotFoundException:
            raise _AccessDenied(f"arn:aws:iam::{self.current_account}:user/unknown", role_arn) from None
        return before(self)
