"""Keeps AWS and Raito Cloud in step, as a Dagster project.

`raito_pipeline.RaitoAwsComponent` is the component that a Dagster project of your own takes it in by.
"""

import os
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raito_pipeline.component import RaitoAwsComponent

__all__ = ["RaitoAwsComponent"]

_HERE = Path(__file__).parent

# pyarrow's own memory pool keeps what was freed: 40 MB where a hundred thousand keys are listed, at the same CPU. It
# looks here when it is first used; whoever wants another pool names it in the same variable.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


class _AssetsOfCheckout:
    """Finds `raito_pipeline.assets` in a checkout: it is the folder `assets` beside this package.

    A wheel has it in this package, so that it puts no package `assets` beside that of somebody's project.
    """

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name != "raito_pipeline.assets":
            return None
        folder = _HERE.parent / "assets"
        return spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])


if not (_HERE / "assets").is_dir():
    # Before the finder of an editable install, which may be of another checkout.
    sys.meta_path.insert(0, _AssetsOfCheckout)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Only when it is asked for: modules that know nothing of Dagster are imported without it.
        if name in __all__:
            return getattr(import_module("raito_pipeline.component"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
