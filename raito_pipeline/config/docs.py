"""Writes the page of options: `python -m raito_pipeline.config.docs docs/options.md`."""

import sys
from pathlib import Path

from raito_pipeline.config.describe import render_markdown


def main(arguments: list[str]) -> int:
    """Write the page to the path given, or print it without one. Returns the exit status."""
    if arguments:
        Path(arguments[0]).write_text(render_markdown(), encoding="utf-8")
    else:
        sys.stdout.write(render_markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
