"""How to reach Raito Cloud and as whom."""

import re
from dataclasses import dataclass, field

from pydantic import SecretStr

from raito_pipeline.config.options import General, Shared
from raito_pipeline.raito.errors import InvalidDomain

BASE_URL = "https://api.raito.cloud/"
_DOMAIN = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")


@dataclass(frozen=True)
class RaitoSettings:
    """Address, domain and login of Raito Cloud.

    `base_url` with or without a trailing `/` (empty = the public service); `domain` is lower-cased. `timeout`: seconds
    that one answer may take. `attempts`: how often a call that is safe to repeat is tried. `retry_delay`: seconds
    before the second attempt, doubled for each further one. `longest_wait`: seconds that a `Retry-After` may ask for.
    Raises `InvalidDomain`.
    """

    base_url: str
    domain: str
    api_user: str = ""
    api_secret: SecretStr = field(default=SecretStr(""), repr=False)
    skip_authentication: bool = False
    timeout: float = 60.0
    skip_file_upload: bool = False
    attempts: int = 4
    retry_delay: float = 0.5
    longest_wait: float = 120.0

    def __post_init__(self) -> None:
        domain = self.domain.strip().lower()
        if not _DOMAIN.fullmatch(domain):
            raise InvalidDomain(self.domain)
        object.__setattr__(self, "domain", domain)
        object.__setattr__(self, "base_url", (self.base_url or BASE_URL).rstrip("/") + "/")


def settings_of(options: General, target: Shared) -> RaitoSettings:
    """The settings of a target of `raito.yml`. Raises `InvalidDomain`."""
    return RaitoSettings(
        base_url=options.raito_url_override or "",
        domain=target.domain,
        api_user=target.api_user or "",
        api_secret=target.api_secret or SecretStr(""),
        skip_authentication=options.skip_authentication,
        skip_file_upload=options.skip_file_upload,
    )
