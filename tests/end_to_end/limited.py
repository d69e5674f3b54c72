"""An estate that is reached with credentials that may do only what a policy says, while AWS enforces it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from raito_pipeline.sandbox.embedded import Embedded

LIMITED_USER = "limited"
_POLICY = "all"
_ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@contextmanager
def limited_credentials(embedded: Embedded) -> Iterator[dict[str, str]]:
    """Makes a user in each account and enforces policies; gives the environment in which the product is that user."""
    lines = []
    for account in (embedded.estate.master, *embedded.estate.members):
        key, secret = create_limited_credentials(account.account_id, {_POLICY: _ALLOW_ALL}, LIMITED_USER)
        lines.append(f"[{account.profile}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    file = Path(embedded.environment["AWS_SHARED_CREDENTIALS_FILE"]).with_name("limited")
    file.write_text("\n".join(lines), encoding="utf-8")
    enforce_iam(embedded.aws, True)
    try:
        yield {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    finally:
        enforce_iam(embedded.aws, False)


def allow(account_id: str, policy: Mapping[str, Any]) -> None:
    """From now on, the limited user of the account may do what the policy says."""
    iam_of(account_id).put_user_policy(LIMITED_USER, _POLICY, json.dumps(policy))
