"""`raito-pipeline listen` over the wire: what Raito Cloud says ends in the queue, whatever fails on the way."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from raito_pipeline.cli import main
from raito_pipeline.cli.listen import LISTENER, Inbox, Listener, by_login
from raito_pipeline.config import Options, load
from raito_pipeline.orchestration.automation.trigger_queue import Trigger, TriggerQueue
from raito_pipeline.raito.trigger_socket import SocketPatience
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from raito_pipeline.storage.lease import Leases
from tests.orchestration.conftest import ACCOUNT, HEAD

QUICK = SocketPatience(first_wait=0.05, longest_wait=0.2, look=0.02)
ENOUGH = 20.0
ONE, TWO = "111122220000", "111122220001"
UPDATE = '{"apUpdate": {"domain": "example", "dataSourceNames": ["source-0"]}}'


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalRaitoCloud]:
    state = tmp_path / "cloud"
    state.mkdir()
    with LocalRaitoCloud(state / "db", state / "files", "", "client", "example", require_login=False) as running:
        yield running


def options_of(tmp_path: Path, *lines: str, url: str = "http://127.0.0.1:9/") -> Options:
    """A configuration of two accounts that speaks to a service without login."""
    given = "\n".join((f"raito-url-override: {url}", "skip-authentication: true", *lines))
    text = HEAD.format(storage=tmp_path / "data", options=given)
    text += "".join(ACCOUNT.format(number=n, account=each) for n, each in enumerate((ONE, TWO)))
    file = tmp_path / "raito.yml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def wait(condition: Callable[[], object], what: object = "") -> None:
    until = time.monotonic() + ENOUGH
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.01)


@contextmanager
def listening(options: Options, said: list[str]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Listener(options, said.append, QUICK, gaps_apart=0.0).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(ENOUGH)
        assert not thread.is_alive()


def waiting(options: Options) -> list[tuple[str, str, int]]:
    return [(each.owner, each.kind, each.messages) for each in TriggerQueue(options.pipeline.storage).waiting()]


def test_at_the_start_all_that_is_out_of_sync_is_asked_for_and_then_what_messages_say(
    tmp_path: Path, cloud: LocalRaitoCloud
) -> None:
    options, said = options_of(tmp_path, url=cloud.url), list[str]()
    with listening(options, said):
        wait(lambda: waiting(options) == [(ONE, "push", 0), (TWO, "push", 0)], said)
        wait(lambda: any(each.heartbeats for each in cloud.triggers.clients()), said)
        assert cloud.triggers.clients()[0].data_sources == {"source-0", "source-1"}
        cloud.triggers.send_text("garbage")
        cloud.triggers.send_text(UPDATE)
        cloud.triggers.send({"syncTrigger": {"dataSource": "source-1", "usageSync": True}})
        wait(lambda: len(waiting(options)) == 3, said)
    assert waiting(options) == [(ONE, "push", 1), (TWO, "push", 0), (TWO, "sync", 1)]
    assert any("was left: " in line for line in said)
    assert Leases(options.pipeline.storage).under_way(LISTENER) is None


def test_a_second_listener_stands_by_until_the_first_ends(tmp_path: Path, cloud: LocalRaitoCloud) -> None:
    options, first, second = options_of(tmp_path, url=cloud.url), list[str](), list[str]()
    lease = Leases(options.pipeline.storage).acquire(LISTENER, LISTENER, "another", "listening")
    with listening(options, second):
        wait(lambda: second, first)
        assert "another one listens" in second[0]
        assert cloud.triggers.clients() == []
        lease.release()
    assert len(second) == 1


def test_accounts_that_are_added_are_listened_for_and_a_file_that_is_wrong_changes_nothing(
    tmp_path: Path, cloud: LocalRaitoCloud
) -> None:
    options, said = options_of(tmp_path, "only-targets: account-0", url=cloud.url), list[str]()
    file, stop = Path(options.file), threading.Event()
    text = file.read_text()
    listener = Listener(options, said.append, QUICK, reload=lambda: load(file), reload_every=0.0)
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    try:
        heard = lambda: [each.data_sources for each in cloud.triggers.clients() if each.heartbeats]  # noqa: E731
        wait(lambda: heard() == [{"source-0"}], said)
        (connection,) = cloud.triggers.clients()
        wait(lambda: waiting(options) == [(ONE, "push", 0)], said)
        file.write_text(text.replace("aws-account-id", "aws-acount-id"))
        wait(lambda: any("configured before" in line for line in said), said)
        assert heard() == [{"source-0"}]
        file.write_text(text.replace("only-targets: account-0", ""))
        wait(lambda: heard() == [{"source-0", "source-1"}], said)
        assert cloud.triggers.clients() == [connection], "no gap, after which everything would be pushed"
        wait(lambda: waiting(options) == [(ONE, "push", 0), (TWO, "push", 0)], said)
        file.write_text(text.replace("only-targets: account-0", "disable-websocket: true"))
        wait(lambda: not thread.is_alive(), said)
    finally:
        stop.set()
        thread.join(ENOUGH)
    assert sum("has changed" in line for line in said) == 2
    assert "nothing is listened for any more" in said[-1]


def test_what_cannot_be_written_is_kept_and_written_later(tmp_path: Path) -> None:
    options, said = options_of(tmp_path), list[str]()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "_triggers").write_text("a file in the way")
    inbox = Inbox(options, options.targets, said.append)
    inbox.message(UPDATE)
    inbox.message(UPDATE)
    assert sum("is kept and written later" in line for line in said) == 1
    (tmp_path / "data" / "_triggers").unlink()
    inbox.message(UPDATE)
    assert waiting(options) == [(ONE, "push", 3)]
    inbox.flush()
    assert waiting(options) == [(ONE, "push", 3)]


def test_a_connection_that_breaks_again_and_again_asks_not_too_often_but_does_ask(tmp_path: Path) -> None:
    options = options_of(tmp_path)
    queue = TriggerQueue(options.pipeline.storage)
    inbox = Inbox(options, options.targets, lambda _text: None, gaps_apart=0.3)
    inbox.gap()
    began = time.monotonic()
    queue.take([], [each.id for each in queue.waiting()])
    for _ in range(5):
        inbox.gap()
    assert waiting(options) == [] or time.monotonic() - began >= 0.25
    wait(lambda: inbox.flush() or waiting(options))  # type: ignore[func-returns-value]
    assert waiting(options) == [(ONE, "push", 0), (TWO, "push", 0)]


def test_targets_of_one_login_share_a_connection(tmp_path: Path) -> None:
    options = options_of(tmp_path)
    assert [len(each) for each in by_login(options)] == [3]
    file = Path(options.file)
    file.write_text(file.read_text() + "  api-user: somebody-else@example.com\n", encoding="utf-8")
    assert [len(each) for each in by_login(load(file))] == [2, 1]


def test_where_it_is_switched_off_the_command_says_so_and_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = options_of(tmp_path, "disable-websocket: true")
    assert main(["listen", "--config-file", options.file]) == 0
    assert "disable-websocket is on" in " ".join(capsys.readouterr().out.split())


def test_a_trigger_says_why_it_is_done() -> None:
    assert "lost" in Trigger("1", "push", messages=0).why
    assert "3 times" in Trigger("1", "push", messages=3).why
