"""Keeps the process small: what a layer of a sync had taken goes back to the system, before the next one takes its own.

glibc alone would keep most of it: https://man7.org/linux/man-pages/man3/mallopt.3.html. Nothing of this does anything
on a C library that lacks it (musl, macOS).
"""

import ctypes
from collections.abc import Callable

_ARENA_MAX, _ARENAS = -8, 1
_TRIM_THRESHOLD, _KEPT_BYTES = -1, 128 * 1024
_MMAP_THRESHOLD, _OWN_MAPPING_BYTES = -3, 64 * 1024


def keep_little() -> bool:
    """Have memory taken so that it can be given back; true where that is possible. To be called before threads begin.

    All threads take it from one place (else from up to eight a core, each of which keeps what it has), and what is
    large is mapped by itself. Without this, glibc raises both thresholds whenever something large is freed.
    """
    set_option = _function("mallopt")
    if set_option is None:
        return False
    options = {_ARENA_MAX: _ARENAS, _TRIM_THRESHOLD: _KEPT_BYTES, _MMAP_THRESHOLD: _OWN_MAPPING_BYTES}
    taken = [set_option(name, value) for name, value in options.items()]
    return all(taken)


def give_back() -> bool:
    """Return freed memory to the system; true where there was some.

    glibc keeps what lies below memory that is still in use: https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    trim = _function("malloc_trim")
    return trim is not None and bool(trim(0))


def _function(name: str) -> Callable[..., int] | None:
    """A function of the C library; none where it has none of that name."""
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
    return function
