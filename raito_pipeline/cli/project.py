"""What a configuration is called in the Dagster project around it, so that a command runs the project's own assets."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.component import RaitoAwsComponent
from raito_pipeline.config import Options
from raito_pipeline.orchestration.config_file import s3_address
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.redaction import one_line


def naming_here(options: Options) -> Naming:
    """What the component of a Dagster project calls everything, where one is on the file of `options`.

    The project is the one around the file, else the one around this directory. Plain names where there is no project,
    or none of its components is on the file. Raises `CommandFailed` for a project that does not load, and where
    several components are on the file.
    """
    if not options.file:
        return Naming()
    on_s3 = s3_address(options.file) is not None
    file = options.file if on_s3 else str(Path(options.file).resolve())
    folders = (Path.cwd(),) if on_s3 else (Path(file).parent, Path.cwd())
    for project in dict.fromkeys(_project_around(folder) for folder in folders):
        components = [] if project is None else list(_on(file, project))
        if len(components) > 1:
            raise CommandFailed(
                f"{len(components)} components of {project} are on {options.file}, so that it is not clear whose "
                "assets are meant. Give each a raito.yml of its own, or launch the job of one of them in Dagster."
            )
        if components:
            return components[0].naming(options)
    return Naming()


def _on(file: str, project: Path) -> Iterator[RaitoAwsComponent]:
    """The components of a project that are on a file. Raises `CommandFailed`."""
    try:
        components = dg.ComponentTree.for_project(project).get_all_components(RaitoAwsComponent)
    except Exception as error:  # whatever the code of somebody's project raises
        raise CommandFailed(
            f"{file} lies in the Dagster project {project}, which does not load: {type(error).__name__}: "
            f"{one_line(str(error)).rstrip('.')}. Install it into the environment of this command (pip install "
            "--editable), and see `dg check defs`."
        ) from error
    return (component for component in components if _place(component) == file)


def _place(component: RaitoAwsComponent) -> str | None:
    """Where the configuration of a component is, as `Options.file` says it."""
    return s3_address(component.raito_yml) or (None if component.file is None else str(component.file.resolve()))


def _project_around(folder: Path) -> Path | None:
    """The nearest folder that `dg` takes for a project, or None."""
    return next((each for each in (folder, *folder.parents) if _is_project(each)), None)


def _is_project(folder: Path) -> bool:
    """Whether `pyproject.toml` or `dg.toml` says so.

    https://docs.dagster.io/guides/build/projects-and-workspaces/dg-project-structure
    """
    settings = _toml(folder / "dg.toml") or _toml(folder / "pyproject.toml").get("tool", {}).get("dg", {})
    return "project" in settings


def _toml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandFailed(f"{file} cannot be read: {error}") from None
