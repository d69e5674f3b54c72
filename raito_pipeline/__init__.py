"""Keeps AWS and Raito Cloud in step, as a Dagster project.

`raito_pipeline.RaitoAwsComponent` is the component that a Dagster project of your own takes it in by.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raito_pipeline.component import RaitoAwsComponent

__all__ = ["RaitoAwsComponent"]

_HERE = Path(__file__).parent
# The assets are the package `raito_pipeline.assets`. A wheel has them in here, so that it puts no package `assets` of
# its own beside that of somebody's project; in a checkout they are the folder `assets` beside this one.
if not (_HERE / "assets").is_dir():
    __path__.append(str(_HERE.parent))

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Only when it is asked for: modules that know nothing of Dagster are imported without it.
        if name in __all__:
            return getattr(import_module("raito_pipeline.component"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
