"""Keeps pyarrow from loading pandas into every process.

pyarrow looks for pandas when it makes its first array, as its argument might be one of pandas, and remembers whether
there is one: 40 MB and 0.4 s of CPU, while nothing of a sync is of pandas. Here it looks while pandas cannot be loaded.
`to_pandas` and its like load it all the same; and where anything else in the process loads pandas (somebody's own
assets, say), pyarrow is made to look again, so that it takes objects of pandas as ever.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa

_NAME = "pandas"


class _PandasFinder:
    """Stands before the finders of Python; gives pandas as they do, but not to the thread that looks in vain."""

    def __init__(self) -> None:
        self._in_vain: int | None = None

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Where a module is; nothing is said of any but pandas. Raises `ModuleNotFoundError`."""
        if name != _NAME:
            return None
        if self._in_vain == threading.get_ident():
            raise ModuleNotFoundError(f"{_NAME} is not needed", name=_NAME)
        specs = (each.find_spec(name, path, target) for each in sys.meta_path if each is not self)
        spec = next((each for each in specs if each is not None), None)
        if spec is not None and spec.loader is not None:
            _after_loading(spec.loader, self._loaded)
        return spec

    def look_in_vain(self) -> None:
        """Let pyarrow look for pandas, and remember that there is none."""
        self._in_vain = threading.get_ident()
        try:
            pa.array([""])
        finally:
            self._in_vain = None

    def _loaded(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        pa.array([""]).to_pandas()  # pyarrow cannot do it without, and looks again


def _after_loading(loader: object, then: Callable[[], None]) -> None:
    """Have something done after a loader has run its module."""
    run: Callable[[ModuleType], None] = loader.exec_module  # type: ignore[attr-defined]  # each loader has it

    def exec_module(module: ModuleType) -> None:
        run(module)
        then()

    loader.exec_module = exec_module  # type: ignore[attr-defined]


def leave_pandas_out() -> None:
    """Have pyarrow make arrays without pandas, as long as nothing in this process loads it. Twice is as once."""
    if _NAME in sys.modules or any(isinstance(each, _PandasFinder) for each in sys.meta_path):
        return
    finder = _PandasFinder()
    sys.meta_path.insert(0, finder)
    finder.look_in_vain()
