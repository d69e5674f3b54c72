"""`raito-pipeline check`: says before a sync whether it can work, target by target."""

import argparse
import json
from contextlib import nullcontext
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from raito_pipeline.aws.repair import repairs
from raito_pipeline.cli.arguments import add_config_file
from raito_pipeline.cli.checking import Checks, TargetCheck
from raito_pipeline.cli.console import Terminal
from raito_pipeline.cli.gather import places_of
from raito_pipeline.cli.show import mark
from raito_pipeline.cli.summary import Outcome
from raito_pipeline.orchestration.config_file import load_configuration
from raito_pipeline.orchestration.resources import Services


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the check came to: every finding, and the permissions that would repair what was denied."""

    findings: tuple[TargetCheck, ...]
    repair: tuple[str, ...]

    @classmethod
    def of(cls, findings: tuple[TargetCheck, ...]) -> "CheckResult":
        """Put the findings together."""
        problems = [finding.problem for finding in findings if finding.problem]
        return cls(findings, tuple(map(str, repairs(problems))))

    @property
    def status(self) -> int:
        """The exit status: 0 where everything that was tried works, else 1."""
        return int(any(finding.problem is not None for finding in self.findings))


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_config_file(parser)
    parser.add_argument("--only-targets", help="names of the targets to check, separated by commas")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON, and nothing else, on stdout")


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status. Raises `ConfigError`."""
    targets = given.only_targets.split(",") if given.only_targets else None
    options = load_configuration(given.config_file, only_targets=targets)
    console = Terminal(stderr=given.json)
    for warning in options.warnings:
        console.print(f"note: {warning}", style="yellow", soft_wrap=True)
    for given_elsewhere in options.from_environment:
        console.print(f"note: {given_elsewhere}", soft_wrap=True)
    with console.status("checking") if console.is_terminal else nullcontext():
        result = CheckResult.of(Checks(Services(options), full=True).findings(places_of(options)))
    if given.json:
        print(
            json.dumps(
                {"status": result.status, "findings": [_json(f) for f in result.findings], "repair": result.repair}
            )
        )
    else:
        show(console, result)
    return result.status


def show(console: Console, result: CheckResult) -> None:
    """Print what was checked as a table: what works, what does not and what to do."""
    table = Table("", "account", "checked", "what to do", title="Can a sync work?", pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    table.columns[2].ratio, table.columns[3].ratio = 2, 3
    before = None
    for finding in result.findings:
        label = "" if finding.place is None else finding.place.label
        if label != before:
            table.add_section()
        outcome = Outcome.FAILED if finding.problem else Outcome.COMPLETE
        sign = Text("-") if finding.not_tried else mark(console, outcome)
        told = finding.problem or (f"not tried: {finding.not_tried}" if finding.not_tried else "")
        table.add_row(sign, label if label != before else "", finding.what, Text(told))
        before = label
    console.print(table, soft_wrap=False)
    for line in result.repair:
        console.print(f"to repair: {line}", soft_wrap=True)
    failed = sum(finding.problem is not None for finding in result.findings)
    verdict = f"{failed} of {len(result.findings)} checks failed" if failed else "a sync can work"
    console.print(verdict, style="red" if failed else "green")


def _json(finding: TargetCheck) -> dict[str, object]:
    values = asdict(finding)
    place = values.pop("place")
    where = {"target": place["target"], "id": place["id"]} if place else {"target": None, "id": None}
    return {**where, **values, "works": finding.problem is None and finding.not_tried is None}
