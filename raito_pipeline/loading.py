"""Loading without looking for garbage: modules and a configuration stay, and nothing of them is garbage.

Python looks through all that there is again and again while it grows: a fifth of the CPU of loading the project, and a
third of that of a `raito.yml` with thousands of targets. What is loaded is looked through in every later search, too,
and at the end of the process.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_is_garbage() -> Iterator[None]:
    """Do not look for garbage in the `with` block; afterwards as before."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextmanager
def modules_stay() -> Iterator[None]:
    """As `nothing_is_garbage`, where the `with` block imports modules; what there is then is not looked through again.

    Once a process: whatever is there at the end of the block would stay even if nobody used it any more.
    """
    with nothing_is_garbage():
        yield
        gc.freeze()
