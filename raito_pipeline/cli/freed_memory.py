"""Gives the system back what a layer of a sync had taken, before the next one takes its own."""

import ctypes


def give_back() -> bool:
    """Return freed memory to the system; true where there was some. Does nothing on a C library without it.

    glibc keeps what lies below memory that is still in use: https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    return bool(trim(0))
