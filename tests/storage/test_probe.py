"""Whether the storage can be written is known before anything is read."""

import http.server
import threading
from pathlib import Path

import pytest

from raito_pipeline.storage import Store
from raito_pipeline.storage.probe import StorageUnusable, require_writable


def test_a_storage_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    for _ in range(2):
        require_writable(Store.open(tmp_path / "data"))
    assert list((tmp_path / "data").iterdir()) == []


def test_a_place_that_cannot_be_written_says_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder is needed")
    with pytest.raises(StorageUnusable, match=r"data cannot be written: .*Check its rights and free space"):
        require_writable(Store.open(tmp_path / "data"))


class Heedless(http.server.BaseHTTPRequestHandler):
    """A store that takes every condition and writes all the same."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("ETag", '"x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_a_store_that_does_not_keep_to_conditions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Heedless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"s3://tables/data?region=eu-west-1&scheme=http&endpoint_override=127.0.0.1:{server.server_port}"
    try:
        with pytest.raises(StorageUnusable, match="two syncs at once are not kept apart"):
            require_writable(Store.open(address))
    finally:
        server.shutdown()
        server.server_close()
