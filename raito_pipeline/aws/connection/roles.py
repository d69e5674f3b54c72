"""A session of another account: a role that is assumed with the credentials of a profile.

For an account with a profile of its own the AWS SDK does this by itself (`role_arn`, `source_profile`). A thousand
accounts that differ in nothing but their id need no profile each: the role is given to the SDK here, which assumes it
when credentials are first needed, and again before they end.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from typing import Any

import botocore.session
from botocore.credentials import AssumeRoleCredentialFetcher, CredentialProvider, DeferredRefreshableCredentials

from raito_pipeline.config.discovery import AssumedRole

_METHOD = "assume-role"


def assume(session: botocore.session.Session, role: AssumedRole, region: str | None) -> None:
    """Let a session use a role, which it assumes with the credentials that it would have had. Calls nothing yet."""
    resolver = session.get_component("credential_provider")
    resolver.insert_before(
        resolver.providers[0].METHOD, _RoleProvider(session, resolver.load_credentials(), role, region)
    )


class _RoleProvider(CredentialProvider):
    """Gives the credentials of a role; it stands before all other providers of its session."""

    METHOD = _METHOD
    CANONICAL_NAME = "raito-assume-role"

    def __init__(self, session: botocore.session.Session, source: Any, role: AssumedRole, region: str | None) -> None:
        super().__init__(session)
        self._core, self._source, self._role, self._region = session, source, role, region

    def load(self) -> Any:
        """The credentials of the role; none where there are no credentials to assume it with."""
        if self._source is None:
            return None
        extra = {"RoleSessionName": self._role.session_name}
        if self._role.external_id is not None:
            extra["ExternalId"] = self._role.external_id
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=self._client,
            source_credentials=self._source,
            role_arn=self._role.arn,
            extra_args=extra,
        )
        return DeferredRefreshableCredentials(method=self.METHOD, refresh_using=fetcher.fetch_credentials)

    def _client(self, service: str, **given: Any) -> Any:
        # Not the global endpoint, which answers for a region that may be far away, or in another partition.
        return self._core.create_client(service, region_name=self._region, **given)
