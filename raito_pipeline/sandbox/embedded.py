"""The embedded estate: emulated AWS and a local Raito Cloud, with the files and the environment to use them."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from raito_pipeline.sandbox.aws.estate import Estate, EstateSettings, build_estate
from raito_pipeline.sandbox.aws.profiles import write_aws_profiles
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.sandbox.controls import seed_access_controls
from raito_pipeline.sandbox.files import API_USER, DOMAIN, SECRET_VARIABLE, write_environment, write_raito_yml
from raito_pipeline.sandbox.occupied import occupied
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud


@dataclass(frozen=True)
class Embedded:
    """A running embedded estate and how to use it."""

    directory: Path
    estate: Estate
    aws: EmulatedAws
    raito: LocalRaitoCloud
    environment: Mapping[str, str]

    @property
    def config_file(self) -> Path:
        """Its `raito.yml`."""
        return self.directory / "raito.yml"


@contextmanager
def embedded_estate(directory: Path, sizes: EstateSettings | None = None) -> Iterator[Embedded]:
    """Start the emulated AWS and the local Raito Cloud with their state in `directory`; stop both at the end.

    `sizes` is how large the estate is (None = as `make run` has it). Raises `SandboxRunning` where another process does
    so already.
    """
    with occupied(directory) as note, EmulatedAws(journal=directory / "aws-changes.jsonl") as aws:
        password = _password(directory / "api-secret")
        estate = build_estate(sizes)
        client_id = aws.create_user_pool(API_USER, password)
        aws.replay_journal()
        with LocalRaitoCloud(
            directory / "raito-cloud.sqlite", directory / "raito-cloud-files", aws.endpoint_url, client_id, DOMAIN
        ) as raito:
            ids = seed_access_controls(raito, estate)
            profiles = write_aws_profiles(directory / "aws", estate, aws.endpoint_url)
            environment = {
                "AWS_CONFIG_FILE": str(profiles.config.resolve()),
                "AWS_SHARED_CREDENTIALS_FILE": str(profiles.credentials.resolve()),
                "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": aws.endpoint_url,
                # SDKs put the account id in front of this host, which an address by number cannot take.
                "AWS_ENDPOINT_URL_S3_CONTROL": f"http://localhost:{aws.port}",
                "AWS_EC2_METADATA_DISABLED": "true",
                "RAITO_CONFIG_FILE": str((directory / "raito.yml").resolve()),
                SECRET_VARIABLE: password,
            }
            write_raito_yml(directory / "raito.yml", estate, ids, raito.url)
            write_environment(directory / "environment", environment)
            note({"emulated AWS": aws.endpoint_url, "local Raito Cloud": raito.url})
            yield Embedded(directory, estate, aws, raito, environment)


def _password(path: Path) -> str:
    """The password of the API user: made once for this directory, readable by its owner alone."""
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text("Aa1!" + secrets.token_urlsafe(18), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()
