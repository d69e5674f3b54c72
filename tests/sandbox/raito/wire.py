"""A client of the local Raito Cloud that knows nothing but HTTP, in the shapes that recorded clients send."""

import base64
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

import requests

DOMAIN = "acme"
CLIENT_ID = "client-of-acme"
PATIENCE = 30.0

RESULT_MEMBERS = """
    __typename
    ... on DataSourceImportResult { dataObjectsAdded dataObjectsRemoved dataObjectsUpdated warnings }
    ... on IdentityStoreImportResult {
        groupsAdded groupsRemoved groupsUpdated usersAdded usersRemoved usersUpdated warnings
    }
    ... on AccessProviderImportResult { accessAdded accessRemoved accessUpdated warnings }
    ... on DataUsageImportResult {
        edgesCreatedOrUpdated edgesRemoved statementsAdded statementsFailed statementsSkipped warnings
    }
    ... on AccessProviderSyncFeedbackResult { accessNamesAdded warnings }
    ... on AccessProviderExportResult { fileKey fileLocation warnings }
"""

IMPORTS = {
    "identities": ("importIdentityRequest", "identityStore", "IS"),
    "data-objects": ("importDataSourceRequest", "dataSource", "DS"),
    "access-providers": ("importAccessProvidersRequest", "dataSource", "DA"),
    "usage": ("importDataUsageRequest", "dataSource", "DU"),
    "feedback": ("importAccessProvidersSyncFeedback", "dataSource", "DA"),
}


class Wire:
    """Talks to one local Raito Cloud. Failed requests raise AssertionError with what was answered."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self.session = requests.Session()
        self.headers = {"Raito-Domain": DOMAIN, "User-Agent": "wire-test"}
        if token is not None:
            self.headers["Authorization"] = f"token {token}"

    def post(self, body: bytes | str, **headers: str) -> requests.Response:
        return self.session.post(
            f"{self.url}/query",
            data=body,
            headers={**self.headers, "Content-Type": "application/json", **headers},
            timeout=PATIENCE,
        )

    def answer(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The whole answer, errors included."""
        return self.post(json.dumps({"query": query, "variables": variables})).json()

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The value of the only field that was asked for."""
        answer = self.answer(query, variables)
        assert not answer.get("errors"), answer
        (value,) = answer["data"].values()
        return value

    def sign(self, content: bytes, path: str = "file/upload/signed-url", **more: str) -> dict[str, Any]:
        parameters = {"sha256": digest(content), "contentLength": str(len(content)), **more}
        response = self.session.get(f"{self.url}/{path}", params=parameters, headers=self.headers, timeout=PATIENCE)
        assert response.status_code == 200, response.text
        return response.json()

    def upload(self, content: bytes) -> str:
        signed = self.sign(content)
        response = self.session.put(
            signed["URL"], data=content, headers=flat(signed["signedHeaders"]), timeout=PATIENCE
        )
        assert response.status_code == 200, response.text
        return signed["Key"]

    def job(self, data_source: str | None = None, identity_store: str | None = None) -> str:
        values = {
            "dataSourceId": data_source,
            "identityStoreId": identity_store,
            "eventTime": "2026-11-24T02:00:00Z",
        }
        return self.ask("mutation c($input: JobInput!) { createJob(input: $input) { jobId } }", {"input": values})[
            "jobId"
        ]

    def start(self, kind: str, store: str, **settings: Any) -> tuple[str, str, str]:
        """Starts an import; gives job, job type and subtask."""
        field, store_field, job_type = IMPORTS[kind]
        job = self.job(**{"identity_store" if store_field == "identityStore" else "data_source": store})
        literals = ", ".join(f"{name}: {json.dumps(value)}" for name, value in settings.items())
        document = (
            f"mutation {{ {field}(input: {{ jobId: {json.dumps(job)}, importSettings: {{"
            f" {store_field}: {json.dumps(store)}, {literals} }} }}) {{ subtask {{ status subtaskId }} }} }}"
        )
        subtask = self.ask(document)["subtask"]
        assert subtask["status"] == "QUEUED"
        return job, job_type, subtask["subtaskId"]

    def poll(self, job: str, job_type: str, subtask: str) -> dict[str, Any]:
        return self.ask(
            f'query getJobSubtask {{ jobSubtask(jobId: "{job}", jobType: "{job_type}", subtaskId: "{subtask}") {{'
            f" jobId jobType subtaskId status lastUpdate errors result {{ {RESULT_MEMBERS} }} }} }}"
        )

    def wait(self, job: str, job_type: str, subtask: str) -> dict[str, Any]:
        """The subtask once its status is final."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.poll(job, job_type, subtask)
            if answer["status"] in ("COMPLETED", "FAILED", "TIMED_OUT", "SKIPPED"):
                return answer
            time.sleep(0.01)
        raise AssertionError(f"still {answer['status']} after {PATIENCE} s")

    def imported(self, kind: str, store: str, *contents: Any, **settings: Any) -> dict[str, Any]:
        """Uploads files (anything that JSON can hold, or bytes), imports them, and waits for the end."""
        keys = [
            self.upload(content if isinstance(content, bytes) else json.dumps(content).encode()) for content in contents
        ]
        if kind == "identities":
            files: dict[str, Any] = dict(zip(("usersFileKey", "groupsFileKey"), keys, strict=False))
        elif kind == "usage":
            files = {"fileKeys": keys}
        else:
            files = {"fileKey": keys[0]}
        return self.wait(*self.start(kind, store, **files, **settings))

    def result(self, kind: str, store: str, *contents: Any, **settings: Any) -> dict[str, Any]:
        """What an import that completes brought, without its type name."""
        answer = self.imported(kind, store, *contents, **settings)
        assert answer["status"] == "COMPLETED", answer
        return {name: value for name, value in answer["result"].items() if name != "__typename"}

    def export(self, data_source: str, *, only_out_of_sync: bool = False) -> requests.Response:
        """The exported file, fetched as a client does it: without any header."""
        chosen: dict[str, Any] = {"status": {"outOfSync": True}} if only_out_of_sync else {}
        variables = {
            "input": {"jobId": self.job(data_source), "exportSettings": {"dataSource": data_source}},
            "filter": chosen,
        }
        subtask = self.ask(
            "query ($filter: AccessProviderExportRequestFilter! $input: AccessProviderExportRequest!)"
            " { exportAccessProvidersRequest(input: $input, filter: $filter) { subtask { subtaskId status } } }",
            variables,
        )["subtask"]
        answer = self.wait(variables["input"]["jobId"], "DA", subtask["subtaskId"])
        assert answer["status"] == "COMPLETED", answer
        return requests.get(answer["result"]["fileLocation"], timeout=PATIENCE)

    def counts(self) -> dict[str, Any]:
        return self.session.get(f"{self.url}/sandbox-api/counts", timeout=PATIENCE).json()

    def order(self, **fault: Any) -> None:
        response = self.session.post(f"{self.url}/sandbox-api/faults", json=fault, timeout=PATIENCE)
        assert response.status_code == 201, response.text


def digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def flat(signed: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Signed headers as `requests` takes them."""
    return {name: ", ".join(values) for name, values in signed.items()}


# --- small files in the shapes of recorded ones


def data_source_object(account: str = "111122223333") -> dict[str, Any]:
    return data_object(account, "datasource", "")


def data_object(name: str, kind: str, parent: str, **more: Any) -> dict[str, Any]:
    return {
        "externalId": name,
        "name": name.rsplit("/", 1)[-1].rsplit(":", 1)[-1],
        "fullName": name,
        "type": kind,
        "description": "",
        "parentExternalId": parent,
        "tags": None,
        **more,
    }


ACCOUNT = "111122223333"
BUCKET = f"{ACCOUNT}:eu-central-1:data-00"


def small_tree() -> list[dict[str, Any]]:
    """A data source, a bucket, a folder and two files."""
    return [
        data_source_object(),
        data_object(BUCKET, "bucket", ACCOUNT),
        data_object(f"{BUCKET}/a", "folder", BUCKET),
        data_object(f"{BUCKET}/a/one.csv", "file", f"{BUCKET}/a"),
        data_object(f"{BUCKET}/a/two.csv", "file", f"{BUCKET}/a"),
    ]


def user(name: str, *groups: str, **more: Any) -> dict[str, Any]:
    return {
        "externalId": f"id-{name}",
        "name": name,
        "userName": name,
        "email": f"{name}@example.com",
        "groupExternalIds": list(groups) or None,
        "tags": None,
        "isMachine": None,
        **more,
    }


def group(name: str, **more: Any) -> dict[str, Any]:
    return {
        "externalId": f"id-{name}",
        "name": name,
        "displayName": name,
        "description": "",
        "parentGroupExternalIds": None,
        "tags": None,
        **more,
    }


def access_provider(name: str, kind: str = "aws_role", **more: Any) -> dict[str, Any]:
    return {
        "externalId": f"role:{name}",
        "name": name,
        "namingHint": name,
        "type": kind,
        "access": None,
        "action": "grant",
        "policy": "{}",
        "who": {"users": ["ann"], "groups": [], "accessProviders": None, "recipients": None},
        "notInternalizable": False,
        "actualName": name,
        "what": [{"dataObject": {"fullName": ACCOUNT, "type": "datasource"}, "permissions": ["s3:GetObject"]}],
        "incomplete": False,
        "tags": None,
        **more,
    }


def statement(number: int, name: str = f"{BUCKET}/a/one.csv", **more: Any) -> dict[str, Any]:
    return {
        "externalId": f"event-{number}",
        "accessedDataObjects": [
            {
                "permissions": ["s3:GetObject"],
                "globalPermission": "read",
                "dataObject": {"fullName": name, "type": "file"},
            }
        ],
        "user": "ann",
        "success": True,
        "query": "",
        "startTime": 1_795_000_000 + number,
        "bytes": 1234,
        **more,
    }


def metadata() -> dict[str, Any]:
    """A little of what a sync in S3 mode declares."""
    read = [{"permission": "s3:GetObject", "description": "", "globalPermissions": ["read", "write", "admin"]}]
    kinds = (("datasource", ["bucket"]), ("bucket", ["folder", "file"]), ("folder", ["folder", "file"]), ("file", []))
    return {
        "type": "aws-account",
        "supportedFeatures": [""],
        "supportsApInheritance": True,
        "dataObjectTypes": [
            {"name": kind, "type": kind, "label": kind, "permissions": read, "children": children}
            for kind, children in kinds
        ],
        "accessProviderTypes": [
            {"type": "aws_role", "label": "AWS Role", "isNamedEntity": True, "canBeCreated": True},
            {"type": "aws_policy", "label": "AWS Policy", "allowedWhoAccessProviderTypes": ["aws_role"]},
        ],
        "usageMetaInfo": {"defaultLevel": "file", "levels": [{"name": "file", "dataObjectTypes": ["file", "folder"]}]},
    }
