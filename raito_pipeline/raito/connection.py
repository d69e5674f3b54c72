"""How to reach Raito Cloud and as whom."""

import re
from dataclasses import dataclass

from raito_pipeline.config.groups import Login, RaitoService
from raito_pipeline.raito.errors import InvalidDomain

BASE_URL = "https://api.raito.cloud/"
_DOMAIN = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")


@dataclass(frozen=True)
class Connection:
    """The service and the login, as `raito.yml` gives them, and how patient a caller is.

    `timeout`: seconds that one answer may take. `attempts`: how often a call that is safe to repeat is tried.
    `retry_delay`: seconds before the second attempt, doubled for each further one. `longest_wait`: seconds that a
    `Retry-After` may ask for. `allow_plain_http`: the login may be sent by plain http to another machine.
    Raises `InvalidDomain`.
    """

    service: RaitoService
    login: Login
    timeout: float = 60.0
    attempts: int = 4
    retry_delay: float = 0.5
    longest_wait: float = 120.0
    allow_plain_http: bool = False

    def __post_init__(self) -> None:
        if not _DOMAIN.fullmatch(self.domain):
            raise InvalidDomain(self.login.domain)

    @property
    def base_url(self) -> str:
        """The address of the service, with `/` at its end."""
        return (self.service.raito_url_override or BASE_URL).rstrip("/") + "/"

    @property
    def domain(self) -> str:
        """The domain as Raito Cloud writes it."""
        return self.login.domain.strip().lower()

    @property
    def api_secret(self) -> str:
        """The password, empty where there is none."""
        secret = self.login.api_secret
        return "" if secret is None else secret.get_secret_value()
