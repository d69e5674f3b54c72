"""The command line `raito-pipeline`: one module a command, each with its `arguments` and what `execute` does."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from types import ModuleType

try:
    from raito_pipeline.cli.console import Terminal
    from raito_pipeline.cli.errors import CommandFailed, ExtraMissing
    from raito_pipeline.cli.freed_memory import keep_little
    from raito_pipeline.config import ConfigError
    from raito_pipeline.loading import modules_stay
except KeyboardInterrupt:  # Ctrl-C in the half second before `main` is there to hear of it
    raise SystemExit(130) from None

COMMANDS = {
    "init": "asks a few questions and writes a raito.yml",
    "add-target": "one more account in raito.yml",
    "run": "one sync of the raito.yml in this directory, then exit",
    "check": "says before a sync whether it can work",
    "plan": "what a push would change in AWS",
    "apply": "makes exactly a plan that was shown, or a stored export again",
    "listen": "hears of changes in Raito Cloud between the syncs, until it is stopped",
    "discover": "accounts of the organization become targets",
    "forget": "removes what is stored of an account or region that is wanted no more",
    "info": "every option of raito.yml with its explanation",
    "sandbox": "the embedded estate: emulated AWS and a local Raito Cloud",
}
"""Each command is the module of its name, with what it does in a line."""
EXTRAS = {"sandbox": "sandbox"}
"""The extra of the project that installs what a command needs besides everything else."""
STATUS_OF_WRONG_WORDS = {"plan": 1, "apply": 1}
"""The exit status for words that a command does not know, where 2 says something else: that there are changes."""

_NOBODY_READS = 128 + 13
"""what a shell gives for a program that ended by SIGPIPE"""
_NOT_TO_BE_WRITTEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENOSPC, errno.EDQUOT)
"""what a folder, a file or the disk is not fit for; any other error of the system is one of this program"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit status.

    0: everything is complete. 1: something failed. 2: wrong configuration. 3: something is partial or was refused.
    130: interrupted. 141: nobody reads the output any more, as after `| head`.
    """
    try:
        try:
            return _run(sys.argv[1:] if arguments is None else list(arguments))
        finally:
            if sys.stdout is not None:  # closed by whoever started this
                sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as error:
        if not _nobody_reads(error):
            raise
        _write_no_more()
        return _NOBODY_READS
    except OSError as error:
        if error.errno not in _NOT_TO_BE_WRITTEN:
            raise
        if error.filename is None:
            _write_no_more()
        place = error.filename or "the output (or a file)"
        why = f"{place} could not be read or written: {error.strerror}. What to do: make room, or use another place."
        Terminal(stderr=True, soft_wrap=True).print(why)
        return 1


def _write_no_more() -> None:
    """What is still held back would be written when the interpreter ends, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _nobody_reads(error: BaseException | None) -> bool:
    """Whether the pipe was closed at its other end; rich ends the program for that reason by itself."""
    return isinstance(error, BrokenPipeError) or (error is not None and _nobody_reads(error.__context__))


def _run(words: Sequence[str]) -> int:
    keep_little()  # before anything that begins threads is imported
    try:
        parser = _parser(words)
        given = _parsed(parser, words)
        if given.command is None:
            parser.print_help()
            return 2
        status: int = given.execute(given)
        return status
    except ConfigError as error:
        Terminal(stderr=True, soft_wrap=True).print(str(error))
        return 2
    except CommandFailed as error:
        Terminal(stderr=True, soft_wrap=True).print(str(error))
        return error.status
    except KeyboardInterrupt:
        return 130


def _parsed(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    try:
        return parser.parse_args(words)
    except SystemExit as ended:
        if ended.code == 2 and words[0] in STATUS_OF_WRONG_WORDS:
            raise SystemExit(STATUS_OF_WRONG_WORDS[words[0]]) from None
        raise


@modules_stay()
def _module(command: str) -> ModuleType:
    """The module of a command. Raises `ExtraMissing` where it stands in an extra that is not installed."""
    try:
        return import_module(f"raito_pipeline.cli.{command.replace('-', '_')}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if command not in EXTRAS or missing == "raito_pipeline":
            raise
        raise ExtraMissing(command, EXTRAS[command], missing) from None


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the module of the command that `words` begin with is imported: some take seconds."""
    parser = argparse.ArgumentParser(prog="raito-pipeline", description="Keeps AWS and Raito Cloud in step.")
    parser.add_argument("--version", action="version", version=version("raito-pipeline"))
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for name, does in COMMANDS.items():
        command = commands.add_parser(name, help=does)
        if name in words[:1]:
            module = _module(name)
            module.arguments(command)
            command.set_defaults(execute=module.execute)
    return parser
