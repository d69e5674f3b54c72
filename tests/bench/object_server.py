"""A process that answers like S3 with one large bucket, and like Raito Cloud's upload: cheap, so that it is no limit.

`python -m tests.bench.object_server PORT_FILE KEYS`: keys `year=YYYY/month=MM/part-NNNNNNN.parquet`, in order.
"""

import json
import sys
from bisect import bisect_right
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

_PAGE = 1000
_FOLDERS = 120


class ListedBucket:
    """So many keys, of which nothing is held."""

    def __init__(self, count: int) -> None:
        each = -(-count // _FOLDERS)
        self.folders = [f"year={2015 + n // 12}/month={n % 12 + 1:02d}/" for n in range(_FOLDERS)]
        self.starts = [min(n * each, count) for n in range(_FOLDERS)] + [count]
        self.count = count

    def key(self, number: int) -> str:
        """The key of this number, in the order of all."""
        folder = bisect_right(self.starts, number) - 1
        return f"{self.folders[min(folder, _FOLDERS - 1)]}part-{number:07d}-c000.snappy.parquet"

    def after(self, key: str) -> int:
        """The number of the first key that comes after this text."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.key(middle) <= key else (low, middle)
        return low

    @lru_cache(maxsize=4)  # noqa: B019 - there is one bucket, for the life of the process
    def page(self, start: int) -> bytes:
        end = min(start + _PAGE, self.count)
        rows = "".join(
            f"<Contents><Key>{quote(self.key(n), safe='/')}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>{n}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for n in range(start, end)
        )
        return _answer(rows, end - start, str(end) if end < self.count else "")

    def answer(self, query: dict[str, str]) -> bytes:
        """The answer to `ListObjectsV2`."""
        if "delimiter" in query:
            return self.folders_after(query.get("prefix", ""), query.get("start-after", ""))
        if "continuation-token" in query:
            return self.page(int(query["continuation-token"]))
        start = query.get("start-after", "")
        return self.page(self.after(start) if start else 0)

    def folders_after(self, prefix: str, key: str) -> bytes:
        if prefix in self.folders:
            return self.page(self.after(key))
        used = [f for f, start, end in zip(self.folders, self.starts, self.starts[1:], strict=False) if start < end]
        found = sorted({f[: f.index("/", len(prefix)) + 1] for f in used if f.startswith(prefix)})
        kept = [f for f in found if f > key]
        rows = "".join(f"<CommonPrefixes><Prefix>{quote(f, safe='/')}</Prefix></CommonPrefixes>" for f in kept)
        return _answer(rows, len(kept), "")


def _answer(rows: str, count: int, token: str) -> bytes:
    following = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>big</Name><Prefix></Prefix><KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys>"
        f"<EncodingType>url</EncodingType><IsTruncated>{'true' if token else 'false'}</IsTruncated>"
        f"{following}{rows}</ListBucketResult>"
    ).encode()


def serve(port_file: Path, count: int) -> None:
    """Serve until the process is ended."""
    bucket = ListedBucket(count)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body leave in one piece: the second of two would wait for the acknowledgement of the first.
        wbufsize = 1 << 20

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            if "signed-url" in asked.path:
                url = f"http://127.0.0.1:{self.server.server_address[1]}/put"
                self._send(json.dumps({"URL": url, "Key": "k", "SignedHeaders": {}}).encode(), "application/json")
            else:
                self._send(bucket.answer(query))

        def do_PUT(self) -> None:
            left = int(self.headers["Content-Length"])
            while left:
                left -= len(self.rfile.read(min(left, 1 << 20)))
            self._send(b"")

        def _send(self, body: bytes, kind: str = "application/xml") -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    port_file.write_text(str(server.server_address[1]))
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
