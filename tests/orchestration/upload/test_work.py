"""What an upload works with: what it may remove, what Raito Cloud is expected to count, where its files lie."""

from dataclasses import replace
from pathlib import Path

import pytest

from raito_pipeline.config import Options
from raito_pipeline.model import ImportResult
from raito_pipeline.orchestration.upload.work import Count, Work, exchange_folder
from raito_pipeline.raito.deletions import Elements
from tests.model.test_schema import example_row
from tests.orchestration.upload.conftest import WHOLE


def test_something_may_be_removed_only_after_a_whole_read_and_where_it_is_asked_for(work: Work) -> None:
    assert work.may_delete
    assert not replace(work, verdict=WHOLE.but("one region is missing")).may_delete
    assert not replace(work, target=work.account.model_copy(update={"delete_untouched": False})).may_delete


def row(*, removed: bool) -> ImportResult:
    return replace(example_row(ImportResult, null=True), delete_untouched=removed)


def elements(*names: str) -> Elements:
    return Elements.of({"user": [names]})


def test_what_raito_cloud_is_expected_to_count() -> None:
    count = Count("store-0", elements("a", "b", "c"), elements("c", "d"))

    removing, keeping = count.note(row(removed=True)), count.note(row(removed=False))

    assert (removing.held, removing.expected_added, removing.expected_removed) == (2, 1, 2)
    assert (keeping.held, keeping.expected_added, keeping.expected_removed) == (4, 1, 0)


@pytest.mark.parametrize("unknown", [{"held": None}, {"certain": False}])
def test_nothing_is_expected_where_it_is_not_known_what_raito_cloud_holds(unknown: dict[str, object]) -> None:
    count = replace(Count("store-0", elements("a"), elements("b", "c")), **unknown)  # type: ignore[arg-type]

    removing, keeping = count.note(row(removed=True)), count.note(row(removed=False))

    assert (removing.held, removing.expected_added, removing.expected_removed) == (2, None, None)
    assert keeping.held is None


def test_the_folder_of_the_files_is_kept_and_copied_as_the_options_say(options: Options) -> None:
    plain = exchange_folder(options.accounts[0], "data_usage")
    kept = {"delete_temp_files": False, "file_backup_location": "/backups", "maximum_backups_per_target": 7}
    other = exchange_folder(options.accounts[0].model_copy(update=kept), "data_usage")

    assert (plain.target, plain.stage) == ("account-0", "data_usage")
    assert (plain.delete, plain.backup_location, plain.maximum_backups) == (True, None, 0)
    assert (other.delete, other.backup_location, other.maximum_backups) == (False, Path("/backups"), 7)


def test_copies_lie_in_the_home_folder_where_the_options_say_so(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    at_home = options.accounts[0].model_copy(update={"file_backup_location": "~/copies"})
    odd = options.accounts[0].model_copy(update={"file_backup_location": "~copies"})

    assert exchange_folder(at_home, "data_usage").backup_location == Path("/home/ada/copies")
    assert exchange_folder(odd, "data_usage").backup_location == Path("~copies")
