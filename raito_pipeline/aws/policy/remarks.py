"""What is remarked on single elements of a statement, and how it is told: one reason a code."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.first_few import first_few

_LENGTH = 1_000
"""characters of listed elements; the rest is counted"""


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark: `action s3:Fly is not known`, and how it goes on about several."""

    code: Code
    element: str
    """`s3:Fly`; empty where the remark is about the statement"""
    one: str
    """`action {} is not known`, or the whole text where there is no element"""
    many: str = ""
    """`actions {} are not known`"""

    @property
    def text(self) -> str:
        """The remark alone."""
        return self.one.replace("{}", self.element)


def told(remarks: Iterable[Remark]) -> list[Reason]:
    """One reason a code: what is remarked on several elements is said of them together, in the order of the first."""
    sentences: dict[Code, dict[Remark, list[str]]] = defaultdict(dict)
    for remark in remarks:
        kind = Remark(remark.code, "", remark.one, remark.many)
        elements = sentences[remark.code].setdefault(kind, [])
        if remark.element not in elements:
            elements.append(remark.element)
    return [
        Reason(code, "; ".join(_sentence(kind, elements) for kind, elements in kinds.items()))
        for code, kinds in sentences.items()
    ]


def _sentence(kind: Remark, elements: list[str]) -> str:
    if len(elements) == 1:
        return kind.one.replace("{}", elements[0])
    return kind.many.replace("{}", listed(elements))


def listed(elements: Iterable[str]) -> str:
    """Elements one after the other; from some length on the rest of them is counted."""
    every = list(elements)
    lengths = accumulate(len(element) + 2 for element in every)
    return first_few(every, max(1, sum(length <= _LENGTH for length in lengths)))
