"""Least privilege on trial: the emulated AWS enforces IAM policies, for credentials that have only what they are given.

Enforcement decides per action for IAM, S3, S3 Control, Glue, Identity Center, the identity store and Cognito; resources
count for S3 only, and conditions hardly at all.
"""

import json
from collections.abc import Mapping
from typing import Any

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.moto_api._internal import mock_random

from raito_pipeline.sandbox.aws.accounts import iam_of, install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def enforce_iam(aws: EmulatedAws, on: bool) -> None:
    """Turn the enforcement of IAM policies on or off, for all accounts.

    While it is on, keys that are not an IAM user's and not an assumed role's are refused, so have users' keys ready.
    """
    with aws.lock:
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0 if on else float("inf")
        ActionAuthenticatorMixin.request_count = 0


def create_limited_credentials(
    account_id: str, policies: Mapping[str, Mapping[str, Any]], user_name: str = "limited"
) -> tuple[str, str]:
    """Access key id and secret of a new IAM user in the account, who may do what these policies allow.

    `policies` maps the names of inline policies to their documents.
    """
    iam = iam_of(account_id)
    iam.create_user("aws", user_name)
    for name, document in policies.items():
        iam.put_user_policy(user_name, name, json.dumps(document))
    access_key_id = "AKIA" + "".join(mock_random.choice(_LETTERS) for _ in range(16))
    secret = "".join(mock_random.choice(_LETTERS) for _ in range(40))
    install_access_key(account_id, access_key_id, secret, user_name)
    return access_key_id, secret
