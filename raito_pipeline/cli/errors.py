"""What ends a command with a line instead of frames; imports nothing that takes long."""


class CommandFailed(Exception):
    """A command cannot go on; its text is all that a person needs. `status` is the exit status."""

    status = 1


class AlreadyRunning(CommandFailed):
    """Another process does the same in the same place."""

    status = 2


class ExtraMissing(CommandFailed):
    """A command needs packages that only an extra of this project installs."""

    status = 2

    def __init__(self, command: str, extra: str, module: str) -> None:
        super().__init__(
            f"raito-pipeline {command} needs the extra `{extra}`, of which {module} is not installed: "
            f"pip install 'raito-pipeline[{extra}]'"
        )


class InstanceUnusable(CommandFailed):
    """The Dagster instance in which runs are recorded cannot be opened, or not be written any more."""

    def __init__(self, home: str, reason: str) -> None:
        super().__init__(
            f"Dagster's record of runs cannot be used, that of {home}: {reason}. What to do: make room there, let this "
            "user write there, or correct its dagster.yaml; or set DAGSTER_HOME to a folder that can be used."
        )


class InstanceDamaged(CommandFailed):
    """The database of Dagster in which runs are recorded cannot be read."""

    def __init__(self, home: str, files: list[str], reason: str) -> None:
        named = ", ".join(files) or f"a database in {home}"
        super().__init__(
            f"Dagster's record of runs is damaged: {named} ({reason}). Move {home} away and run again: a new record is "
            "begun. Only the history of runs is lost; the tables and what is in Raito Cloud stay."
        )
        self.home, self.files = home, files
