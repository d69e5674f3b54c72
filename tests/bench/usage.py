"""CloudTrail: unpacked megabytes a second of one core, against unpacking and parsing alone; and a second sync."""

import gzip
import json
import random
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.figure import Figure
from tests.bench.process import work
from tests.bench.usage_work import ACCOUNT, REGION

FILES, RECORDS = 240, 1000


def figures() -> Iterator[Figure]:
    """All figures of usage, measured one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        _write_logs(logs)
        parsed = min((_work("parse", logs, Path(folder)) for _ in range(3)), key=lambda found: found["cpu"])
        plain = min((_work("plain", logs, Path(folder)) for _ in range(3)), key=lambda found: found["cpu"])
        runs = [(Path(folder) / f"store-{n}") for n in range(3)]
        synced = min((_work("sync", logs, store) for store in runs), key=lambda found: found["cpu"])
        again = _work("sync", logs, runs[0])
    megabytes = parsed["bytes"] / 1e6
    ours, alone, objects = (megabytes / done["cpu"] for done in (synced, parsed, plain))
    yield Figure(
        f"CloudTrail, {megabytes:,.0f} MB unpacked in {FILES} files of data events: MB a CPU second",
        f"{ours:.0f} ({synced['statements']:,} statements, peak {synced['peak']:.0f} MB)",
        ">= 250",
    )
    yield Figure(
        "the same / isal and msgspec alone, into plain Python objects",
        f"{ours / objects:.2f} ({objects:.0f} MB/s)",
        ">= 0.5",
    )
    yield Figure(
        "the same / isal and msgspec alone, into no more than the fields that we read",
        f"{ours / alone:.2f} ({alone:.0f} MB/s)",
        ">= 0.5",
    )
    yield Figure(
        "second sync of usage, nothing new",
        f"{again['opened']} files opened, {again['cpu'] / synced['cpu']:.3f} of the CPU of the first",
        "0 files opened",
    )


def _write_logs(folder: Path) -> None:
    folder.mkdir()
    chance = random.Random(1)
    for number in range(FILES):
        records = [record(chance) for _ in range(RECORDS)]
        body = json.dumps({"Records": records}, separators=(",", ":")).encode()
        (folder / f"{number:05d}.json.gz").write_bytes(gzip.compress(body, 6))


def record(chance: random.Random) -> dict[str, Any]:
    """A data event as CloudTrail writes it, with all that a statement does not need."""
    key = f"year=2026/{chance.randrange(200)}/part-{chance.randrange(10**6):06d}.parquet"
    role, session = f"role-{chance.randrange(20)}", f"session-{chance.randrange(50)}"
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole", "principalId": f"AROAEXAMPLEEXAMPLE{chance.randrange(9)}:{session}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}", "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLEEXAMPLE00",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROAEXAMPLEEXAMPLE0", "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                    "accountId": ACCOUNT, "userName": role,
                },
                "attributes": {"creationDate": "2026-03-19T09:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": f"2026-03-19T{chance.randrange(24):02d}:{chance.randrange(60):02d}:00Z",
        "eventSource": "s3.amazonaws.com", "eventName": chance.choice(["GetObject", "PutObject", "HeadObject"]),
        "awsRegion": REGION, "sourceIPAddress": "203.0.113.7",
        "userAgent": "[aws-sdk-java/2.20 Linux/5.10 OpenJDK_64-Bit_Server_VM/17 vendor/Amazon io/sync http/Apache]",
        "requestParameters": {"bucketName": "data", "Host": f"data.s3.{REGION}.amazonaws.com", "key": key},
        "responseElements": None,
        "additionalEventData": {
            "SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": 0.0,
            "AuthenticationMethod": "AuthHeader", "x-amz-id-2": "A" * 76, "bytesTransferredOut": 1048576.0,
        },
        "requestID": uuid.UUID(int=chance.getrandbits(128)).hex[:16].upper(),
        "eventID": str(uuid.UUID(int=chance.getrandbits(128))), "readOnly": True,
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::data/{key}"},
            {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::data"},
        ],
        "eventType": "AwsApiCall", "managementEvent": False, "recipientAccountId": ACCOUNT, "eventCategory": "Data",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"data.s3.{REGION}.amazonaws.com",
        },
    }  # fmt: skip


def _work(way: str, logs: Path, store: Path) -> dict[str, Any]:
    return work("tests.bench.usage_work", way, str(logs), str(store))
