import os
import signal
import threading

import pytest

from raito_pipeline.orchestration.runs.interrupts import listening_for_interrupts


@pytest.mark.parametrize(("sent", "ends"), [(signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGUSR1, False)])
def test_what_ends_a_process_is_heard_whatever_its_handler_does(sent: signal.Signals, ends: bool) -> None:
    handler = signal.signal(sent, lambda *_: None)
    try:
        with listening_for_interrupts() as interrupts:
            assert not interrupts.came()
            os.kill(os.getpid(), sent)
            assert [interrupts.came(), interrupts.came()] == [ends, ends]
        with listening_for_interrupts() as later:
            assert not later.came()
    finally:
        signal.signal(sent, handler)


def test_elsewhere_than_in_the_main_thread_nothing_is_heard() -> None:
    heard: list[bool] = []

    def listen() -> None:
        with listening_for_interrupts() as interrupts:
            heard.append(interrupts.came())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()

    assert heard == [False]
