"""A sync that is killed at any moment: the next one converges, nothing is half written, nothing is left behind."""

import json
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from raito_pipeline.sandbox.compare import compare
from tests.end_to_end.changes import change_something
from tests.end_to_end.conftest import World, started
from tests.end_to_end.killed import Ended, Hit, hit, left_over, require_whole, syncs_of, waited_for_lease

ACCOUNT = "210000000012"
ORGANIZATION = "210000000001_eu-west-1"
STORES = (f"ds-{ACCOUNT}", f"is-{ACCOUNT}", "is-organization-210000000001")
COMMAND = ["run", "--json", "--only-targets", "aws-organization,marketing"]
LAYERS = {"organization", "account", "regions", "finish"}
PATIENCE = 20.0
"""Seconds that a sync may take from its start to its first step, on a machine with much else to do: a lease that nobody
saw to be of a dead process would keep it for 60 (between two layers) or 120.
"""


def _statements(world: World) -> dict[str, dict[str, Any]]:
    """The usage statements of all regions by event id, less the file that an event was first found in."""
    found: dict[str, dict[str, Any]] = {}
    for region in world.embedded.estate.members[0].regions:
        for row in world.store.dataset("usage_statements", ACCOUNT, region).to_table().to_pylist():
            assert row["external_id"] not in found
            found[row["external_id"]] = {name: value for name, value in row.items() if name != "file_key"}
    return found


def _in_raito_cloud(world: World) -> list[str]:
    with closing(sqlite3.connect(world.embedded.directory / "raito-cloud.sqlite")) as database:
        query = "select external_id from usage_statements where data_source = ?"
        return sorted(row[0] for row in database.execute(query, (f"ds-{ACCOUNT}",)))


def _read_usage_anew(world: World) -> None:
    for table in ("usage_statements", "cloudtrail_files"):
        shutil.rmtree(world.embedded.directory / "data" / table)
    for region in world.embedded.estate.members[0].regions:
        assert world.materialize(["cloudtrail_files", "usage_statements"], f"{ACCOUNT}|{region}").success


def _outcome(ended: Ended) -> tuple[Any, ...]:
    """How a sync ended, as it says itself: its status, and each cause of what is not complete."""
    said = json.loads(ended.printed)
    causes = [(place["place"], cause["what"], cause["reason"]) for place in said["places"] for cause in place["causes"]]
    push = [place["push"] for place in said["places"] if place["push"]]
    return (ended.status, said["causes"], causes, [(each["refused"], each["failed"]) for each in push])


def _clean(world: World, home: Path) -> tuple[Ended, float]:
    """A first sync that nobody kills, and how long the next one takes, in seconds, with something to do."""
    with syncs_of(home, COMMAND, os.environ) as syncs:
        ended = syncs.run()
        change_something(world.embedded, 0)
        return ended, syncs.run().seconds


def _moments(chance: random.Random, count: int) -> Iterator[float]:
    """Random moments between 0 and 1, spread over the whole: `count` in turn share it among themselves."""
    while True:
        parts = chance.sample(range(count), count)
        yield from (chance.uniform(part / count, (part + 1) / count) for part in parts)


def _kill(world: World, home: Path, seconds: float, seed: int, moments: int) -> list[Hit]:
    """Kill syncs at random moments of their length, each with something to do; gives what each kill hit."""
    hits, spread = list[Hit](), _moments(random.Random(seed), moments)
    with syncs_of(home, COMMAND, os.environ) as syncs:
        while len(hits) < moments:
            change_something(world.embedded, len(hits) + 1)
            began, moment = time.time(), next(spread)
            ended = syncs.run(moment * seconds)
            require_whole(world.embedded.directory / "data")
            if not ended.killed:  # it was faster than the one that was measured
                seconds = min(seconds, ended.seconds)
                continue
            with dg.DagsterInstance.from_config(str(home)) as instance:
                hits.append(hit(instance, began, ended.at))
            print(f"{len(hits):2} killed at {moment:4.0%} of {seconds:.1f} s: {hits[-1].layer}, {hits[-1].doing}")
    return hits


def _require_converged(world: World, home: Path, clean: Ended) -> float:
    """One more sync ends as a clean one and leaves nothing behind, and the next changes nothing; gives its seconds."""
    embedded = world.embedded
    with syncs_of(home, COMMAND, os.environ) as syncs:
        ended = syncs.run()
        assert ended.printed, ended.noted
        assert _outcome(ended) == _outcome(clean), ended.noted
        comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
        own = [line for line in comparison.lines if line.account.startswith(("marketing", "organization"))]
        assert own
        assert [line for line in own if not line.equal] == []
        assert left_over(embedded, home, STORES, (ACCOUNT, ORGANIZATION), home / "tmp") == []
        with dg.DagsterInstance.from_config(str(home)) as instance:
            assert waited_for_lease(instance) < PATIENCE
        mark, before = embedded.aws.calls.mark, world.counts()
        again = syncs.run()
        assert _outcome(again) == _outcome(clean), again.noted
        assert [call.operation for call in embedded.aws.calls.since(mark) if call.writes] == []
        assert world.counts() == before
        return ended.seconds


def _require_every_statement_once(world: World) -> None:
    statements = _statements(world)
    assert _in_raito_cloud(world) == sorted(statements)
    _read_usage_anew(world)
    assert _statements(world) == statements


def _series(world: World, home: Path, clean: tuple[Ended, float], seed: int, moments: int) -> list[Hit]:
    """Kill syncs of an estate, then require that the next one converges."""
    hits = _kill(world, home, clean[1], seed, moments)
    converged = _require_converged(world, home, clean[0])
    print(f"converged in {converged:.1f} s (a sync that nobody killed: {clean[1]:.1f} s)")
    _require_every_statement_once(world)
    return hits


def _layers(hits: Sequence[Hit]) -> set[str]:
    return {each.layer.removeprefix("after ") for each in hits} & LAYERS


@pytest.mark.slow_daemon
@pytest.mark.timeout(1_800)
def test_a_sync_that_is_killed_a_few_times_converges(world: World, tmp_path: Path) -> None:
    clean = _clean(world, tmp_path / "home")
    assert len(_layers(_series(world, tmp_path / "home", clean, 20, 3))) > 1


@pytest.mark.slow_daemon
@pytest.mark.timeout(5_400)
def test_syncs_that_are_killed_at_thirty_moments_converge_the_first_ones_and_later_ones(tmp_path: Path) -> None:
    with started(tmp_path / "synced") as world:
        home = tmp_path / "synced-home"
        clean = _clean(world, home)
        hits = _series(world, home, clean, 30, 15)
    with started(tmp_path / "fresh") as world:
        hits += _series(world, tmp_path / "fresh-home", clean, 31, 15)
    assert _layers(hits) == LAYERS
