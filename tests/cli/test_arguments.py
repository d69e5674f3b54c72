"""What several commands take is the same in each of them."""

import argparse
from importlib import import_module

import pytest

from raito_pipeline.cli import COMMANDS
from raito_pipeline.cli.arguments import add_config_file

WRITES_ITS_OWN = {"init", "sandbox"}


def config_file_of(parser: argparse.ArgumentParser) -> str:
    (line,) = (action for action in parser._actions if "--config-file" in action.option_strings)
    return str(line.help)


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - WRITES_ITS_OWN))
def test_every_command_that_reads_a_configuration_takes_its_place_alike(command: str) -> None:
    parser, shared = argparse.ArgumentParser(), argparse.ArgumentParser()
    import_module(f"raito_pipeline.cli.{command.replace('-', '_')}").arguments(parser)
    add_config_file(shared)

    assert config_file_of(parser) == config_file_of(shared)
