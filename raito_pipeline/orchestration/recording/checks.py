"""The checks of the stored tables, each declared once: what a person sees in the UI where a cell is not plain green.

A check is a pure function of what was recorded of one cell. `CellLog` evaluates the checks of a table wherever it
records a cell, made or failed, so no table can get round them; `check_specs` makes their specs, by table.

Severities follow the three outcomes: what is partial warns, what failed is an error.
"""

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg

from raito_pipeline.aws.repair import repairs
from raito_pipeline.first_few import first_lines
from raito_pipeline.model import INCOMPLETE_BY, TABLES, ImportResult, PushResult, TableSpec
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.gone import IS_GONE, Kept
from raito_pipeline.orchestration.recording.markdown import plain
from raito_pipeline.raito.deletions import OPTION as MOST_DELETIONS
from raito_pipeline.raito.deletions import disagreement
from raito_pipeline.storage import CellInfo, ReadStatus

# Partitioned checks are marked preview in Dagster 1.13; the lock file pins the version that they were tried with.
warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*partitions_def on an AssetCheckSpec.*")

INCOMPLETE_SHARE = 0.25
"""The share of incomplete access providers of an account above which `incomplete_access_share` warns."""
DRIFT, NO_DRIFT_KNOWN = "drift", "no drift known"
"""What the cell of a plan notes: what AWS has otherwise than the last push left it, and why that is not known."""
DIFFERENCES = "differences"
"""What the cell of results notes: what AWS had otherwise right after the push."""
_MOST_LINES = 50
_LONGEST_REASON = 400
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


@dataclass(frozen=True)
class Recorded:
    """What a run recorded of one cell.

    `place` names the cell with its target. `failure` says why it was not made, `kept` why it was not to be made; `info`
    is what is stored otherwise. `rows` and `column` read the stored rows, the latter the values of one column.
    """

    table: str
    place: str
    info: CellInfo | None = None
    failure: str | None = None
    kept: Kept | None = None
    rows: Callable[[], Sequence[Any]] = tuple
    column: Callable[[str], Sequence[Any]] = lambda _name: ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing, one line each; a sentence where a cell that is not complete does not say."""
        if self.info is None or self.info.complete:
            return ()
        return self.info.problems or (f"the read is {self.info.status.value}",)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read without anything of the cell missing."""
        return () if self.info is None else self.info.warnings


@dataclass(frozen=True)
class Finding:
    """What a check found: whether all is well, a sentence, the lines behind it, and figures."""

    passed: bool
    reason: str
    lines: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    severity: dg.AssetCheckSeverity | None = None
    """None = that of the check"""

    def metadata(self) -> dict[str, Any]:
        """As Dagster metadata, with the permissions that would repair what was denied."""
        figures = dict(self.figures)
        if self.lines:
            figures["reasons"] = dg.MetadataValue.md(_listed(self.lines))
        repaired = [str(repair) for repair in repairs(self.lines)]
        if repaired:
            figures["what repairs it"] = dg.MetadataValue.text("; ".join(repaired[:_MOST_LINES]))
        return figures


@dataclass(frozen=True)
class Check:
    """One check: which tables it is of, by their declarations, and what it finds in a cell that was made."""

    name: str
    concerns: Callable[[TableSpec], bool]
    severity: dg.AssetCheckSeverity
    description: str
    judge: Callable[[Recorded], Finding]

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it is of."""
        return tuple(name for name, spec in TABLES.items() if self.concerns(spec))

    def evaluate(self, recorded: Recorded) -> Finding:
        """What the check finds in a cell, made or not. The severity of the finding is set."""
        finding = self._finding(recorded)
        return replace(
            finding, reason=f"{recorded.place}: {finding.reason}", severity=finding.severity or self.severity
        )

    def _finding(self, recorded: Recorded) -> Finding:
        if recorded.failure is not None:
            kept = "" if recorded.info is None else ", what is stored is older"
            return Finding(False, _short(f"failed{kept}: {recorded.failure}"), (recorded.failure,), severity=ERROR)
        if recorded.kept is not None:
            reason = recorded.kept.reason
            return Finding(recorded.kept.confirmed, _short(f"not read, and left: {reason}"), (reason,), severity=WARN)
        assert recorded.info is not None
        if recorded.info.status is ReadStatus.OUT_OF_SCOPE:
            return Finding(True, f"out of scope: {recorded.info.extra.get('reason', 'raito.yml leaves it out')}")
        return self.judge(recorded)

    def spec(self, asset: dg.AssetSpec) -> dg.AssetCheckSpec:
        """The spec of the check of an asset: per partition, and never in the way of a sync."""
        return dg.AssetCheckSpec(
            self.name,
            asset=asset.key,
            description=self.description,
            blocking=False,
            partitions_def=asset.partitions_def,
        )


def checks_of(table: str) -> tuple[Check, ...]:
    """The checks of a table, in the order in which they are declared."""
    return tuple(check for check in CHECKS if check.concerns(TABLES[table]))


def check_specs(assets: Iterable[dg.AssetSpec], naming: Naming) -> list[dg.AssetCheckSpec]:
    """The specs of all checks of some assets."""
    return [check.spec(asset) for asset in assets for check in checks_of(naming.table(asset.key))]


def failure_metadata(recorded: Recorded) -> dict[str, Any]:
    """Why a cell was not made and what would repair that, as Dagster metadata."""
    metadata = Finding(False, "", (recorded.failure or "",)).metadata()
    metadata.pop("reasons")
    kept = "" if recorded.info is None else f" What is stored was read at {recorded.info.read_at:%Y-%m-%d %H:%M} UTC."
    return {"the last attempt failed": f"{recorded.place}: {recorded.failure}{kept}", **metadata}


# -- what each check finds -----------------------------------------------------------------------------------------


def _read_complete(recorded: Recorded) -> Finding:
    missing, rows = recorded.problems, recorded.info.rows if recorded.info else 0
    if missing and recorded.info and recorded.info.status is ReadStatus.DENIED:
        return Finding(True, _summed("not read, and it is optional", missing), missing)
    if missing:
        return Finding(False, _summed("partial, nothing is removed because of it", missing), missing)
    if recorded.warnings:
        return Finding(True, _summed(f"complete, {rows:,} rows", recorded.warnings), recorded.warnings)
    return Finding(True, f"complete, {rows:,} rows")


def _complete_upstream(recorded: Recorded) -> Finding:
    missing = tuple(reason for reason in recorded.problems if not _withheld(reason))
    if missing:
        return Finding(False, _summed("made of tables that are not complete", missing), missing)
    return Finding(True, "made of complete tables of this sync")


def _nothing_removed_beyond_limit(recorded: Recorded) -> Finding:
    withheld = tuple(reason for reason in recorded.problems if _withheld(reason))
    figures = {"removed": sum(row.removed for row in _imports(recorded))}
    if withheld:
        return Finding(False, _summed("nothing was removed from Raito Cloud", withheld), withheld, figures)
    return Finding(True, f"{figures['removed']:,} removed from Raito Cloud, within the limit", figures=figures)


def _withheld(reason: str) -> bool:
    """True for a reason by which a limit, not a gap in what was read, keeps an import from removing anything."""
    return MOST_DELETIONS in reason or IS_GONE in reason


def _counts_equal(recorded: Recorded) -> Finding:
    rows = _imports(recorded)
    lines = tuple(line for row in rows for line in _differences(row))
    figures = {
        "sent": sum(row.elements for row in rows),
        "added": sum(row.added for row in rows),
        "updated": sum(row.updated for row in rows),
        "removed": sum(row.removed for row in rows),
        "refused": sum(row.failed for row in rows),
    }
    if lines:
        return Finding(False, _summed("Raito Cloud does not hold what was sent", lines), lines, figures)
    if all(row.status == "SKIPPED" for row in rows):
        return Finding(True, "; ".join(row.reason or "left out" for row in rows), figures=figures)
    return Finding(True, f"{figures['sent']:,} sent, none refused, counts as expected", figures=figures)


def _differences(row: ImportResult) -> Iterable[str]:
    if row.status not in ("COMPLETED", "SKIPPED"):
        yield f"the import of job {row.job_id} ended as {row.status}"
    if row.failed:
        yield f"Raito Cloud refused {row.failed:,} of {row.elements:,} elements"
    differs = disagreement(row)
    if differs:
        yield differs


def _imports(recorded: Recorded) -> list[ImportResult]:
    return [row for row in recorded.rows() if isinstance(row, ImportResult)]


def _every_access_control_pushed(recorded: Recorded) -> Finding:
    results = [row for row in recorded.rows() if isinstance(row, PushResult)]
    bad = [row for row in results if row.errors]
    refused = sum(row.changes_made == row.changes_failed == 0 for row in bad)
    figures = {"pushed": len(results) - len(bad), "refused": refused, "failed": len(bad) - refused}
    if not bad:
        return Finding(True, f"{len(results):,} access controls are in AWS", figures=figures)
    lines = tuple(f"{row.access_control_name}: {error}" for row in bad for error in row.errors)
    said = f"{len(bad):,} of {len(results):,} access controls were not pushed"
    # Refused is partial: nothing was tried, and the reason was known before.
    return Finding(False, _summed(said, lines), lines, figures, ERROR if len(bad) > refused else WARN)


def _no_drift(recorded: Recorded) -> Finding:
    extra = recorded.info.extra if recorded.info else {}
    lines = tuple(json.loads(extra.get(DRIFT) or "[]"))
    if lines:
        return Finding(False, _summed("AWS is not as the last push left it", lines), lines)
    reason = extra.get(NO_DRIFT_KNOWN)
    return Finding(True, f"not compared: {reason}" if reason else "AWS is as the last push left it")


def _as_the_push_left_it(recorded: Recorded) -> Finding:
    lines = tuple(json.loads((recorded.info.extra if recorded.info else {}).get(DIFFERENCES) or "[]"))
    if lines:
        return Finding(False, _summed("what the push touched was read again", lines), lines)
    return Finding(True, "what the push touched was read again, and is as it left it")


def _no_cloudtrail_day_missing(recorded: Recorded) -> Finding:
    info = recorded.info
    gaps = json.loads(info.extra.get("gaps", "[]")) if info else []
    first = min(recorded.column("day"), default=None)
    # Before the first log file there was no trail; a region without any was read, and its warning says so.
    missing = tuple(day for day in gaps if first is not None and day > first)
    if missing:
        return Finding(False, f"{len(missing)} days have no log file: {_short(', '.join(missing))}", missing)
    if first is None:
        return Finding(True, "; ".join(recorded.warnings) or "no log file was delivered", recorded.warnings)
    return Finding(True, f"a log file of every day since {first}")


def _incomplete_access_share(recorded: Recorded) -> Finding:
    flags = recorded.column("incomplete")
    share = sum(flags) / len(flags) if flags else 0.0
    by_code = {code: sum(map(bool, recorded.column(f"reasons_{code}"))) for code in INCOMPLETE_BY}
    said = f"{sum(flags):,} of {len(flags):,} access providers are incomplete ({share:.0%}, {INCOMPLETE_SHARE:.0%} may)"
    lines = tuple(f"{count:,} {INCOMPLETE_BY[code]} ({code})" for code, count in by_code.items() if count)
    figures = {"share": round(share, 4), "limit": INCOMPLETE_SHARE, **by_code}
    if share <= INCOMPLETE_SHARE:
        return Finding(True, "; ".join((said, *lines)), figures=figures)
    return Finding(False, f"{'; '.join((said, *lines))}. Their reasons are in the metadata", (), figures)


def _summed(said: str, lines: Sequence[str]) -> str:
    """A sentence with the first of its reasons, and how many more there are."""
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return f"{said}: {_short(lines[0])}{more}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 1]}…"


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {plain(line)}" for line in first_lines(lines, _MOST_LINES))


# -- the registry --------------------------------------------------------------------------------------------------


def _is_read(table: TableSpec) -> bool:
    return bool(table.sources)


def _is_import(table: TableSpec) -> bool:
    return table.row_type is ImportResult


def _removes(table: TableSpec) -> bool:
    """Whether an import may remove something; usage is only ever added."""
    return _is_import(table) and table.name != "data_usage_import"


def _is(*names: str) -> Callable[[TableSpec], bool]:
    return lambda table: table.name in names


CHECKS = (
    Check(
        "read_complete",
        _is_read,
        WARN,
        "Everything that was asked for was read. What could not be read is never taken for empty: a partial cell "
        "warns and removes nothing, a failed one is an error and keeps what was stored before.",
        _read_complete,
    ),
    Check(
        "complete_upstream",
        lambda table: (
            _removes(table)
            or table.name
            in ("access_providers", "access_basis", "effective_access", "access_push_plan", "access_push_orphans")
        ),
        WARN,
        "The tables that it is made of are complete and of this sync. Where one is not, what is there is used, and "
        "nothing is removed (a push changes nothing).",
        _complete_upstream,
    ),
    Check(
        "incomplete_access_share",
        _is("access_providers"),
        WARN,
        "Access that cannot be represented exactly is marked incomplete: Raito Cloud may show less of it than AWS "
        "gives (`narrower`), more (`wider`), or not everybody who has it (`who`). At most "
        f"{INCOMPLETE_SHARE:.0%} of the access providers may be.",
        _incomplete_access_share,
    ),
    Check(
        "no_cloudtrail_day_missing",
        _is("cloudtrail_files"),
        WARN,
        "CloudTrail delivered log files on every day since the first that is known: a day without any is a trail that "
        "was off, or files that were removed.",
        _no_cloudtrail_day_missing,
    ),
    Check(
        "counts_equal_raito_cloud",
        _is_import,
        WARN,
        "Raito Cloud took over every element that was sent, and counts as many added and removed as the files say.",
        _counts_equal,
    ),
    Check(
        "nothing_removed_beyond_limit",
        _removes,
        WARN,
        f"The import removes no more from Raito Cloud than `{MOST_DELETIONS}` allows, and no region that is gone from "
        "raito.yml. Where it would, it removes nothing and says what to do.",
        _nothing_removed_beyond_limit,
    ),
    Check(
        "every_access_control_pushed",
        _is("access_push_results"),
        ERROR,
        "Every access control that Raito Cloud exported is in AWS. Refused ones (the plan knew why) warn, failed ones "
        "are errors.",
        _every_access_control_pushed,
    ),
    Check(
        "no_drift_since_last_push",
        _is("access_push_plan"),
        WARN,
        "What the last push made is in AWS as it was made: nobody changed it by hand since. The plan puts right what "
        "was, in mode apply by itself.",
        _no_drift,
    ),
    Check(
        "read_again_after_push",
        _is("access_push_results"),
        WARN,
        "What the push touched was read from AWS again after it, and is as the push left it.",
        _as_the_push_left_it,
    ),
)
