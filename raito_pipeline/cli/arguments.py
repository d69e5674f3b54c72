"""The arguments that several commands have."""

import argparse
from pathlib import Path


def add_config_file(parser: argparse.ArgumentParser) -> None:
    """`--config-file`, of every command that reads a configuration: its path, or an address on S3."""
    parser.add_argument("--config-file", type=Path, help="the configuration (default: raito.yml here or in ~/.raito/)")
