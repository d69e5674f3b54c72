"""Which accounts have the buckets that policies name: as few of them are read as can be, and none is missed."""

import posixpath
from dataclasses import dataclass
from pathlib import Path

import pytest

from raito_pipeline.config import Options
from raito_pipeline.model import S3Bucket
from raito_pipeline.orchestration.access.bucket_owners import BucketOwners
from raito_pipeline.storage import Store
from raito_pipeline.storage.files import CellFile, LocalFiles
from tests.orchestration.conftest import Loads, account_ids

ACCOUNTS = 22
HERE, *OTHERS = account_ids(ACCOUNTS)


class CountedFiles(LocalFiles):
    """Files of this machine, and whose cells were asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.folder = root
        self.asked: list[str] = []

    def cell(self, path: str) -> CellFile | None:
        self.asked.append(posixpath.basename(posixpath.dirname(path)).removeprefix("account="))
        return super().cell(path)


@dataclass
class Estate:
    """Accounts with a bucket each, named after them."""

    options: Options
    files: CountedFiles
    noted: str = ""

    @property
    def store(self) -> Store:
        return Store(self.files, self.files.folder.as_posix())

    def has(self, account: str, *buckets: str) -> None:
        self.store.write("s3_buckets", [S3Bucket(name, "eu-west-1", None, True, None) for name in buckets], account)

    def owners(self, *names: str) -> tuple[dict[str, str], set[str]]:
        """The accounts of these buckets, and those that were read for it."""
        looked = BucketOwners.remembering(self.store, self.options.every_account, self.noted)
        self.files.asked.clear()
        found = looked.of(names, HERE)
        self.noted = looked.noted
        return {name: target.account_id for name, target in found.items()}, set(self.files.asked)


@pytest.fixture
def estate(loads: Loads, tmp_path: Path) -> Estate:
    made = Estate(loads(accounts=ACCOUNTS), CountedFiles(tmp_path / "data"))
    for account in (HERE, *OTHERS):
        made.has(account, f"of-{account}")
    return made


def test_only_who_had_a_bucket_and_whose_buckets_were_written_since_are_read_again(estate: Estate) -> None:
    names = (f"of-{OTHERS[3]}", "of-nobody", f"of-{HERE}")
    owners, read = estate.owners(*names)
    assert owners == {names[0]: OTHERS[3]}
    assert read == set(OTHERS), "nobody knows where they are"
    for _ in range(2):
        again, read = estate.owners(*names)
        assert again == owners
        assert read <= {OTHERS[3], OTHERS[-1]}, "who had one, and who was written last"
    estate.has(OTHERS[7], "of-nobody")
    found, read = estate.owners(*names)
    assert found == {**owners, "of-nobody": OTHERS[7]}
    assert read <= {OTHERS[3], OTHERS[7], OTHERS[-1]}


def test_a_note_stays_until_many_accounts_were_written_since(estate: Estate) -> None:
    """A new one makes the table that it stands in another one, which costs a call, too."""
    name = f"of-{OTHERS[0]}"
    estate.owners(name)
    noted = estate.noted
    for account in OTHERS[4:6]:
        estate.has(account, "new")
    assert estate.owners(name)[0] == {name: OTHERS[0]}
    assert estate.noted == noted
    for account in OTHERS[8:12]:
        estate.has(account, "new")
    estate.owners(name)
    assert estate.noted != noted


def test_a_bucket_that_moved_is_met_where_it_is_now(estate: Estate) -> None:
    name = f"of-{OTHERS[3]}"
    assert estate.owners(name)[0] == {name: OTHERS[3]}
    estate.has(OTHERS[3])
    estate.has(OTHERS[9], name)
    assert estate.owners(name)[0] == {name: OTHERS[9]}
    estate.has(OTHERS[9])
    assert estate.owners(name)[0] == {}


def test_a_name_that_is_new_is_looked_for_until_it_is_met(estate: Estate) -> None:
    estate.owners("of-nobody")
    name = f"of-{OTHERS[5]}"
    owners, read = estate.owners("of-nobody", name)
    assert owners == {name: OTHERS[5]}
    assert OTHERS[15] not in read
    assert estate.owners(name)[1] <= {OTHERS[5]}
    assert estate.owners() == ({}, set())


def test_an_account_without_tables_is_not_asked(estate: Estate) -> None:
    for account in OTHERS:
        estate.store.remove("s3_buckets", account)
    assert estate.owners("of-nobody") == ({}, set())
