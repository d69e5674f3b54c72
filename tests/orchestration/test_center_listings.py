"""What pushes of one sync read of Identity Center once for all accounts of an organization."""

import threading
from datetime import UTC, datetime

import pytest

from raito_pipeline.aws.readers.push_center import CenterListing
from raito_pipeline.orchestration.center_listings import CenterListings


def listing() -> CenterListing:
    return CenterListing(datetime.now(UTC), (), ())


def test_an_organization_is_listed_once_a_sync_and_each_for_itself() -> None:
    kept = CenterListings()

    first = kept.get("o", "s1", listing)

    assert kept.get("o", "s1", listing) is first
    assert kept.get("other", "s1", listing) is not first
    assert kept.get("o", "s2", listing) is not first


def test_what_failed_is_read_again() -> None:
    kept = CenterListings()
    with pytest.raises(ZeroDivisionError):
        kept.get("o", "s1", lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    found = kept.get("o", "s1", listing)
    assert kept.get("o", "s1", listing) is found


def test_after_a_change_it_is_listed_again_also_where_it_was_made_meanwhile() -> None:
    kept = CenterListings()
    first = kept.get("o", "s1", listing)
    kept.forget("o")

    def while_others_change() -> CenterListing:
        kept.forget("o")
        return listing()

    second = kept.get("o", "s1", while_others_change)

    third = kept.get("o", "s1", listing)
    assert len({id(each) for each in (first, second, third)}) == 3
    assert kept.get("o", "s1", listing) is third


def test_who_asks_while_it_is_listed_waits_for_it() -> None:
    kept, begun, go_on = CenterListings(), threading.Event(), threading.Event()
    given: list[CenterListing] = []

    def slowly() -> CenterListing:
        begun.set()
        go_on.wait(30)
        return listing()

    threads = [threading.Thread(target=lambda: given.append(kept.get("o", "s1", slowly))) for _ in range(3)]
    for thread in threads:
        thread.start()
    begun.wait(30)
    go_on.set()
    for thread in threads:
        thread.join(30)

    assert len(given) == 3
    assert len({id(each) for each in given}) == 1
