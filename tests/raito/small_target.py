"""A data source with its identity store in the local Raito Cloud, and small files for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from raito_pipeline.aws.policy.permissions import Permission
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.files.data_objects import data_source_element
from raito_pipeline.raito.files.writer import ImportFile, write_json_array
from raito_pipeline.raito.jobs import (
    Job,
    Polling,
)
from raito_pipeline.raito.metadata import set_data_source_metadata, set_identity_store_metadata
from raito_pipeline.raito.setup import SetUp
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

ACCOUNT = "111122223333"
TYPES = ACCESS_PROVIDER_TYPES.descriptions
QUICK = Polling(first=0.02, longest=0.2)
PERMISSIONS = (Permission("s3:GetObject", "read", "read", True, True, False, True, False),)


@dataclass(frozen=True)
class Target:
    """A data source with its identity store."""

    client: RaitoClient
    source: str
    store: str

    def job(self) -> Job:
        return Job.start(self.client, self.source, self.store)


def make_target(client: RaitoClient) -> Target:
    set_up = SetUp(client)
    store, source = set_up.identity_store("people"), set_up.data_source("account")
    set_up.link(source, store)
    set_identity_store_metadata(client, store, organization=False)
    set_data_source_metadata(client, source, PERMISSIONS, TYPES, glue=False, organization=False)
    return Target(client, source, store)


def users_file(folder: Path, *names: str) -> ImportFile:
    elements = [{"externalId": n, "name": n, "userName": n, "email": n, "groupExternalIds": ["g1"]} for n in names]
    return write_json_array(folder / "users.json", elements)


def groups_file(folder: Path) -> ImportFile:
    return write_json_array(folder / "groups.json", [{"externalId": "g1", "name": "g1", "displayName": "g1"}])


def objects_file(folder: Path, *names: str) -> ImportFile:
    elements = [data_source_element(ACCOUNT)]
    for name in names:
        full = f"{ACCOUNT}:eu-central-1:{name}"
        about = {"name": name, "fullName": full, "type": "bucket", "description": "", "parentExternalId": ACCOUNT}
        elements.append({"externalId": full, **about, "tags": None})
    return write_json_array(folder / "objects.json", elements)


def operations(cloud: LocalRaitoCloud) -> Iterator[str]:
    """What arrived, in a word each: `addTaskEvent DS QUEUED`; polls and look-ups left out."""
    for entry in cloud.log:
        for name in entry.get("operations") or []:
            given = (entry.get("arguments") or {}).get(name, {}).get("input") or {}
            parts = [name, given.get("jobType"), given.get("subtaskId"), given.get("status")]
            if name not in ("jobSubtask", "dataSources", "identityStores"):
                yield " ".join(part for part in parts if part)
