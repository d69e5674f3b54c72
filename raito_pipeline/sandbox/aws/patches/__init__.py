"""Where the emulator answers unlike AWS in what matters here: its classes are mended in place, one module a service."""

import threading

_lock = threading.Lock()
_applied = False


def apply_patches() -> None:
    """Mend the emulator, once a process."""
    global _applied
    with _lock:
        if _applied:
            return
        _applied = True
