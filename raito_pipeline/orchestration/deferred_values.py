"""Reads what `raito.yml` leaves to be read when it is used: variables, secrets and parameters of AWS.

The clients are those of Dagster's own AWS resources. What was read is kept in this process and nowhere else.
"""

import json
import os
import threading
import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic import SecretStr

from raito_pipeline.aws.connection.clients import aws_call
from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid, AwsError
from raito_pipeline.aws.connection.sessions import refuse_code
from raito_pipeline.config import Pipeline
from raito_pipeline.config.addresses import refusal
from raito_pipeline.config.deferred import Deferred, Reference, ValueSource
from raito_pipeline.config.groups import Login
from raito_pipeline.raito.errors import LoginNotReadable
from raito_pipeline.redaction import guard_logs, hide_in_logs, one_line

# Dagster calls its AWS resources beta; what is used of them is their client.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*(SecretsManager|SSM)Resource.*")


class DeferredValues:
    """The deferred values of one configuration, each read once. Thread-safe; nothing is read before it is asked for."""

    def __init__(self, pipeline: Pipeline, environ: Mapping[str, str] = os.environ) -> None:
        guard_logs()
        self._pipeline, self._environ = pipeline, environ
        self._lock = threading.Lock()
        self._read: dict[Reference, SecretStr | AwsError] = {}

    def login(self, login: Login) -> Login:
        """The login with everything read. Raises `LoginNotReadable`, which names option and value."""
        if not login.deferred:
            return login
        values = {each.attribute: self._value(each) for each in login.deferred}
        user = values.get("api_user")
        plain = {} if user is None else {"api_user": user.get_secret_value().strip()}
        return login.model_copy(update={**values, **plain, "deferred": ()})

    def _value(self, deferred: Deferred) -> SecretStr:
        reference = deferred.reference
        try:
            whole = self._whole(reference)
        except AwsError as error:
            raise LoginNotReadable(deferred.place, str(reference), str(error)) from None
        if whole is None:
            raise LoginNotReadable(deferred.place, str(reference), "it is not set. Set it in the environment")
        value = whole if reference.key is None else _member(whole, reference.key)
        if value is None:
            reason = "the secret is no JSON object that has this member as a text. Correct the name after the last `:`"
            raise LoginNotReadable(deferred.place, str(reference), reason)
        text = value.get_secret_value().rstrip("\r\n")
        if not text:
            raise LoginNotReadable(deferred.place, str(reference), "it is empty. Give it a value")
        hide_in_logs(text)
        return SecretStr(text)

    def _whole(self, reference: Reference) -> SecretStr | None:
        """What stands under the name of a reference. Raises `AwsError`: the same for all that ask for it."""
        if reference.source is ValueSource.ENVIRONMENT:
            given = self._environ.get(reference.name)
            return None if given is None else SecretStr(given)
        wanted = Reference(reference.source, reference.name)
        with self._lock:
            if wanted not in self._read:
                self._read[wanted] = self._of_aws(wanted)
            value = self._read[wanted]
        if isinstance(value, AwsError):
            raise value
        return value

    def _of_aws(self, reference: Reference) -> SecretStr | AwsError:
        of_secrets = reference.source is ValueSource.SECRETS_MANAGER
        action = "secretsmanager:GetSecretValue" if of_secrets else "ssm:GetParameter"
        try:
            with aws_call(action, reference.name):
                refuse_code(self._pipeline.secrets_profile)
                return SecretStr((self._secret if of_secrets else self._parameter)(reference.name))
        except AwsError as error:
            return error
        except Exception as error:  # a broken profile raises whatever its parser does
            text = f"{action} on {reference.name}: {type(error).__name__}: {one_line(str(error))}"
            return AwsError(text, action=action, resource=reference.name)

    def _secret(self, name: str) -> str:
        # Imported here, because it takes a second that nobody without such a secret needs to wait.
        from dagster_aws.secretsmanager import SecretsManagerResource

        client = self._with_tls(SecretsManagerResource(**self._session(name)).get_client(), name)
        answer = client.get_secret_value(SecretId=name)
        given = answer.get("SecretString")
        return str(given) if given is not None else bytes(answer["SecretBinary"]).decode()

    def _parameter(self, name: str) -> str:
        from dagster_aws.ssm import SSMResource

        client = self._with_tls(SSMResource(**self._session(name)).get_client(), name)
        answer = client.get_parameter(Name=name, WithDecryption=True)
        return str(answer["Parameter"]["Value"])

    def _with_tls(self, client: Any, name: str) -> Any:
        """The client. Raises `AwsCredentialsInvalid` where what it reads could be read by others."""
        refused = refusal(client.meta.endpoint_url, allowed=self._pipeline.allow_plain_http)
        if refused is not None:
            service = client.meta.service_model.service_name
            raise AwsCredentialsInvalid(f"{name} at {refused}", action=service, resource=name)
        return client

    def _session(self, name: str) -> dict[str, Any]:
        """Region, profile and patience; an ARN says its region itself."""
        of_arn = name.split(":")[3] if name.startswith("arn:") else None
        return {
            "region_name": self._pipeline.secrets_region or of_arn,
            "profile_name": self._pipeline.secrets_profile,
            "max_attempts": self._pipeline.aws_attempts,
        }


def _member(whole: SecretStr, key: str) -> SecretStr | None:
    try:
        value = json.loads(whole.get_secret_value())[key]
    except (ValueError, TypeError, KeyError):
        return None
    return SecretStr(value) if isinstance(value, str) else None
