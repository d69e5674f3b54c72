"""The queries of the how-to pages run as they stand there, on tables as a sync stores them."""

import json
import re
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import basis_batches
from raito_pipeline.aws.access.build import traced_access_providers
from raito_pipeline.aws.access.effective import effective_batches
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.storage import Store
from tests.aws.access.conftest import ACCOUNT, Told, allow, document, trust, user_arn

PAGE = Path(__file__).parents[1] / "docs/how-to/who-reaches-what.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
WHO_READS, WHAT_OF_ANN, WHY = (text for language, text in BLOCKS if language == "sql")
(PANDAS,) = (text for language, text in BLOCKS if language == "python")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the stored tables of a small account in `data/`."""
    folder = tmp_path_factory.mktemp("how-to")
    sales = allow("s3:GetObject", "arn:aws:s3:::data/sales/*", Sid="Sales")
    told = Told().user("ann").user("bob").role("reader", trust({"AWS": user_arn("ann")}))
    told.inline("role:reader", "read", document(sales)).policy("all", document(allow("s3:Get*", "*")), "user:bob")
    account = Account(told.inputs(), AccessOptions())
    store = Store.open(folder / "data")
    providers = traced_access_providers(account, ACCESS_PROVIDER_TYPES.imported)
    for table, batches in (
        ("effective_access", effective_batches(account)),
        ("access_basis", basis_batches(providers)),
    ):
        with store.writer(table, ACCOUNT) as writer:
            for batch in batches:
                writer.write_batch(batch)
    return folder


def rows_of(folder: Path, query: str) -> list[dict[str, object]]:
    """What a query gives; lists come as JSON texts, which SQLite has in their place."""
    with sqlite3.connect(":memory:") as database:
        database.row_factory = sqlite3.Row
        for table in ("effective_access", "access_basis"):
            read = pq.read_table(folder / "data" / table / f"account={ACCOUNT}" / "data.parquet")
            database.execute(f"create table {table} ({', '.join(read.column_names)})")
            values = [[json.dumps(v) if isinstance(v, list) else v for v in row.values()] for row in read.to_pylist()]
            database.executemany(f"insert into {table} values ({', '.join('?' * read.num_columns)})", values)
        return [dict(row) for row in database.execute(query)]


def test_who_can_read_this_bucket(folder: Path) -> None:
    rows = rows_of(folder, WHO_READS.replace("acme-sales", "data"))

    assert [(row["principal_type"], row["principal_name"], row["via_roles"]) for row in rows] == [
        ("role", "reader", "[]"),
        ("user", "ann", '["reader"]'),
        ("user", "bob", "[]"),
    ]


def test_what_can_this_person_reach(folder: Path) -> None:
    (row,) = rows_of(folder, WHAT_OF_ANN)

    assert (row["data_object"], row["permission"], row["certainty"]) == (
        f"{ACCOUNT}:eu-west-1:data/sales", "s3:GetObject", "certain",
    )  # fmt: skip


def test_the_same_with_pandas(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)

    exec(PANDAS, {})

    assert "[s3:GetObject]" in capsys.readouterr().out


def test_why(folder: Path) -> None:
    rows = rows_of(folder, WHY)

    assert [(row["external_id"], row["statement"]) for row in rows] == [
        ("policy:all", "statement 1"),
        ("role:reader", "statement 1 (Sales)"),
    ]
