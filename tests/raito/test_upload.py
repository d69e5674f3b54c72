"""Upload of files to signed addresses: tried again from the first byte, replaced where an address ended."""

from pathlib import Path

import pytest

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoRefused, UploadFailed
from raito_pipeline.raito.files.writer import ImportFile, write_json_array
from raito_pipeline.raito.jobs import (
    JobType,
)
from raito_pipeline.raito.upload import upload, upload_log
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .conftest import Answer, ScriptedServer, connection_to
from .small_target import Target, objects_file


def test_an_upload_is_tried_three_times_from_its_first_byte(
    cloud: LocalRaitoCloud, target: Target, tmp_path: Path
) -> None:
    file = objects_file(tmp_path, "a")
    cloud.add_fault(CloudFault(on="upload", status=500))
    cloud.add_fault(CloudFault(on="upload", drop=True))
    key = upload(target.client, file)
    stored = next(path for path in (tmp_path / "cloud" / "files").rglob("*") if path.as_posix().endswith(key))
    assert stored.read_bytes() == file.path.read_bytes()
    cloud.add_fault(CloudFault(on="upload", times=3, status=403))
    with pytest.raises(UploadFailed, match=r"objects\.json failed three times: status 403"):
        upload(target.client, file)


ENDED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
TOKEN_ENDED = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
SKEWED = b"<Error><Code>AccessDenied</Code><Message>Request is not yet valid</Message></Error>"


def _addresses(server: ScriptedServer, *keys: str) -> None:
    """Signed addresses, one after the other; the last one repeats."""
    answers = [Answer({"URL": f"{server.url}/put/{key}?X-Amz-Signature=hush-{key}", "Key": key}) for key in keys]
    server.on("GET", "/file/upload/signed-url", *answers)


@pytest.mark.parametrize(("status", "body"), [(403, ENDED), (400, TOKEN_ENDED), (403, SKEWED)])
def test_an_address_that_ended_is_replaced_and_the_file_sent_from_its_first_byte(
    scripted_login: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, body: bytes
) -> None:
    file = objects_file(tmp_path, "a")
    _addresses(scripted_login, "k1", "k2")
    scripted_login.on("PUT", "/put/k1", Answer(b"slow down", 503), Answer(body, status))
    scripted_login.on("PUT", "/put/k2", Answer())
    with caplog.at_level("DEBUG", "raito_pipeline"), RaitoClient(connection_to(scripted_login.url)) as client:
        assert upload(client, file) == "k2"
    assert [len(scripted_login.requests("PUT", f"/put/{key}")) for key in ("k1", "k2")] == [2, 1]
    assert scripted_login.requests("PUT", "/put/k2")[0].body == file.path.read_bytes()
    assert "asking for a new one" in caplog.text
    assert "hush" not in caplog.text
    assert "/put/" not in caplog.text


def test_new_addresses_are_asked_for_three_times_at_most(scripted_login: ScriptedServer, tmp_path: Path) -> None:
    _addresses(scripted_login, "k1")
    scripted_login.on("PUT", "/put/k1", Answer(ENDED, 403))
    with (
        RaitoClient(connection_to(scripted_login.url)) as client,
        pytest.raises(UploadFailed, match="the signed address ended before the file was there") as error,
    ):
        upload(client, objects_file(tmp_path, "a"))
    assert len(scripted_login.requests("GET", "/file/upload/signed-url")) == 3
    assert len(scripted_login.requests("PUT", "/put/k1")) == 3
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    "answer",
    [Answer(b"", 500), Answer(b"", 503), Answer(drop=True), Answer(b"<Code>SignatureDoesNotMatch</Code>", 403)],
)
def test_what_says_nothing_of_the_address_is_tried_with_the_same_one(
    scripted_login: ScriptedServer, tmp_path: Path, answer: Answer
) -> None:
    _addresses(scripted_login, "k1")
    scripted_login.on("PUT", "/put/k1", answer, answer, Answer())
    with RaitoClient(connection_to(scripted_login.url)) as client:
        assert upload(client, objects_file(tmp_path, "a")) == "k1"
    assert len(scripted_login.requests("GET", "/file/upload/signed-url")) == 1


def test_a_store_that_sends_an_upload_on_gets_it_there_whole_and_once(
    scripted_login: ScriptedServer, tmp_path: Path
) -> None:
    file = objects_file(tmp_path, "a")
    _addresses(scripted_login, "k1")
    scripted_login.on("PUT", "/put/k1", Answer(b"", 307, {"Location": "/region/k1"}))
    scripted_login.on("PUT", "/region/k1", Answer())
    with RaitoClient(connection_to(scripted_login.url)) as client:
        assert upload(client, file) == "k1"
        assert [put.body for put in scripted_login.requests("PUT", "/region/k1")] == [file.path.read_bytes()]
        scripted_login.on("PUT", "/region/k1", Answer(b"", 307, {"Location": "/put/k1"}))
        with pytest.raises(UploadFailed, match="status 307"):
            upload(client, file)


def test_the_address_of_the_local_service_that_ended(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    cloud.add_fault(CloudFault(on="upload", status=403, message="request has expired"))
    assert upload(target.client, objects_file(tmp_path, "a"))
    assert len([entry for entry in cloud.log if entry["path"] == "/file/upload/signed-url"]) == 2


def test_an_upload_sends_the_signed_headers_and_none_of_ours(scripted_login: ScriptedServer, tmp_path: Path) -> None:
    address = f"{scripted_login.url}/bucket/key?X-Amz-Signature=abc"
    signed = {"url": address, "KEY": "k1", "SignedHeaders": {"x-amz-meta-a": ["1", "2"]}}
    scripted_login.on("GET", "/file/upload/signed-url", Answer(signed))
    scripted_login.on("PUT", "/bucket/key", Answer())
    for content in ([], [{"a": 1}]):
        file = write_json_array(tmp_path / "x.json", content)
        with RaitoClient(connection_to(scripted_login.url)) as client:
            assert upload(client, file) == "k1"
        put = scripted_login.requests("PUT", "/bucket/key")[-1]
        assert put.body == file.path.read_bytes()
        assert put.headers["Content-Length"] == str(file.bytes)
        assert put.headers["x-amz-meta-a"] == "1, 2"
        assert not {"Raito-Domain", "Authorization", "Transfer-Encoding"} & put.headers.keys()
        asked = scripted_login.requests("GET", "/file/upload/signed-url")[-1]
        assert f"contentLength={file.bytes}" in asked.path


def test_without_file_upload_the_path_is_the_key(scripted: ScriptedServer, tmp_path: Path) -> None:
    file = objects_file(tmp_path, "a")
    settings = connection_to(scripted.url, skip_file_upload=True, skip_authentication=True)
    with RaitoClient(settings) as client:
        assert upload(client, file) == str(file.path)
    assert scripted.seen == []


def test_the_log_of_a_task(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    log = tmp_path / "task.log"
    log.write_text("a line\n")
    job = target.job()
    key = upload_log(job.task(JobType.DATA_SOURCE).start(), ImportFile.of(log))
    asked = [entry["query"] for entry in cloud.log if entry["path"] == "/file/upload/logs/signed-url"]
    assert [query["task"] for query in asked] == ["DS"]
    assert key


@pytest.mark.parametrize("headers", ["x", ["x"], {"x": 1}, {"x": [1]}, {"x": None}])
def test_signed_headers_that_are_none_are_an_error_in_words(
    scripted_login: ScriptedServer, tmp_path: Path, headers: object
) -> None:
    scripted_login.on("GET", "/file/upload/signed-url", Answer({"URL": "u", "Key": "k", "signedHeaders": headers}))
    file = write_json_array(tmp_path / "a.json", [])
    with RaitoClient(connection_to(scripted_login.url)) as client, pytest.raises(RaitoRefused, match="no headers"):
        upload(client, file)
