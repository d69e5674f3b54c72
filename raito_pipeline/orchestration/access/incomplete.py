"""What people are shown of access that is not exactly AWS's: counted by code, with an example of each reason."""

from collections import Counter
from collections.abc import Iterator, Sequence

import dagster as dg

from raito_pipeline.aws.policy.reasons import element
from raito_pipeline.model import INCOMPLETE_BY, AccessProvider
from raito_pipeline.orchestration.recording.previews import small_table

_MOST_REASONS = 100
_ELSEWHERE = "elsewhere"
_REASON_COLUMNS = {"code": "string", "element": "string", "access providers": "int64", "example": "string"}


def incomplete_metadata(rows: Sequence[AccessProvider]) -> dict[str, dg.MetadataValue]:
    """How many access providers there are by type, how many are incomplete by code, and why.

    Reasons are grouped by their code and element, each with one of its texts as an example.
    """
    by_code = {
        code: sum(bool(getattr(row, f"reasons_{code}")) for row in rows) for code in (*INCOMPLETE_BY, _ELSEWHERE)
    }
    return {
        "by type": dg.MetadataValue.json(dict(sorted(Counter(row.type for row in rows).items()))),
        "incomplete": dg.MetadataValue.int(sum(row.incomplete for row in rows)),
        "incomplete by code": dg.MetadataValue.json(by_code),
        "reasons": small_table(_reasons(rows, tuple(by_code)), _REASON_COLUMNS, _MOST_REASONS),
    }


def _reasons(rows: Sequence[AccessProvider], codes: Sequence[str]) -> Iterator[dict[str, object]]:
    """The elements by code, the most frequent of each code first: those that make nothing incomplete come last."""
    for code in codes:
        examples: dict[str, str] = {}
        counted: Counter[str] = Counter()
        for row in rows:
            texts: dict[str, str] = {element(text): text for text in getattr(row, f"reasons_{code}")}
            examples = {**texts, **examples}
            counted.update(texts.keys())
        for name, times in counted.most_common():
            yield {"code": code, "element": name, "access providers": times, "example": examples[name]}
