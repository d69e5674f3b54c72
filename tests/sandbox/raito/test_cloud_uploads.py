"""Signed addresses: what an upload has to bring, and what is turned down, as an object store does it."""

from typing import Any

import pytest
import requests

from .wire import DOMAIN, Wire, digest, flat

CONTENT = b'[{"externalId": "1"}]'


def put(signed: dict[str, Any], content: bytes, **headers: str | None) -> requests.Response:
    wanted = {**flat(signed["signedHeaders"]), **headers}
    return requests.put(
        signed["URL"], data=content, headers={k: v for k, v in wanted.items() if v is not None}, timeout=60
    )


def test_an_upload_arrives_as_it_is(wire: Wire) -> None:
    signed = wire.sign(CONTENT)

    assert put(signed, CONTENT).status_code == 200
    assert signed["Key"] in signed["URL"]


def test_a_second_attempt_is_as_good_as_the_first(wire: Wire) -> None:
    signed = wire.sign(CONTENT)

    assert [put(signed, CONTENT).status_code for _ in range(2)] == [200, 200]


def test_an_empty_file_can_be_uploaded(wire: Wire) -> None:
    assert put(wire.sign(b""), b"").status_code == 200


def test_checksum_and_length_are_among_the_signed_headers(wire: Wire) -> None:
    signed = wire.sign(CONTENT)["signedHeaders"]

    assert signed["X-Amz-Checksum-Sha256"] == [digest(CONTENT)]
    assert signed["Content-Length"] == [str(len(CONTENT))]


REFUSED = [
    ("other bytes of that length", CONTENT[::-1], {}, 400, "BadDigest"),
    ("fewer bytes", CONTENT[:-1], {"Content-Length": None}, 403, "SignatureDoesNotMatch"),
    ("more bytes", CONTENT + b" ", {"Content-Length": None}, 403, "SignatureDoesNotMatch"),
    ("no signed header", CONTENT, {"X-Amz-Checksum-Sha256": None}, 403, "SignatureDoesNotMatch"),
    ("another signed header", CONTENT, {"X-Amz-Checksum-Sha256": digest(b"x")}, 403, "SignatureDoesNotMatch"),
    ("a Raito header", CONTENT, {"Raito-Domain": DOMAIN}, 400, "InvalidArgument"),
    ("a token", CONTENT, {"Authorization": "token abc"}, 400, "InvalidArgument"),
]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_put_that_is_not_what_was_signed_for(
    wire: Wire, source: str, content: bytes, headers: dict[str, str | None], status: int, code: str
) -> None:
    signed = wire.sign(CONTENT)

    response = put(signed, content, **headers)

    assert response.status_code == status
    assert f"<Code>{code}</Code>" in response.text
    failed = wire.wait(*wire.start("data-objects", source, fileKey=signed["Key"]))
    assert failed["errors"] == [f"no file was uploaded under the key '{signed['Key']}'"]


def test_a_body_without_a_length(wire: Wire) -> None:
    signed = wire.sign(CONTENT)
    headers = {k: v for k, v in flat(signed["signedHeaders"]).items() if k != "Content-Length"}

    response = requests.put(signed["URL"], data=iter([CONTENT]), headers=headers, timeout=60)

    assert response.status_code == 411


@pytest.mark.parametrize("change", [("Signature=", "Signature=0"), ("Expires=1", "Expires=2"), ("/uploads/", "/logs/")])
def test_an_address_cannot_be_changed(wire: Wire, change: tuple[str, str]) -> None:
    signed = wire.sign(CONTENT)

    response = put({**signed, "URL": signed["URL"].replace(*change)}, CONTENT)

    assert response.status_code == 403


def test_an_address_expires(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raito_pipeline.sandbox.raito.uploads.UPLOAD_SECONDS", -1)

    response = put(wire.sign(CONTENT), CONTENT)

    assert response.status_code == 403
    assert "expired" in response.text


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"sha256": digest(CONTENT)},
        {"contentLength": "5"},
        {"sha256": "abc", "contentLength": "5"},
        {"sha256": digest(CONTENT), "contentLength": "-5"},
        {"sha256": digest(CONTENT)[:-4], "contentLength": "5"},
    ],
)
def test_an_address_is_signed_only_for_a_digest_and_a_length(wire: Wire, parameters: dict[str, str]) -> None:
    response = requests.get(f"{wire.url}/file/upload/signed-url", params=parameters, headers=wire.headers, timeout=60)
    assert response.status_code == 400


def test_a_plus_that_was_not_quoted(wire: Wire) -> None:
    content = next(bytes([a, b]) for a in range(256) for b in range(256) if "+" in digest(bytes([a, b])))
    response = requests.get(
        f"{wire.url}/file/upload/signed-url?sha256={digest(content)}&contentLength=2", headers=wire.headers, timeout=60
    )
    assert put(response.json(), content).status_code == 200


def test_only_signed_addresses_give_files(wire: Wire) -> None:
    key = wire.upload(CONTENT)

    for path in (key, "../raito.sqlite", "exports/x.yaml", f"{key}?Expires=9999999999&Signature=0"):
        assert requests.get(f"{wire.url}/storage/{path}", timeout=60).status_code in (403, 404)
