"""Texts of people that AWS takes only some characters of: descriptions, and values of tags."""

import re
import unicodedata

_DESCRIPTION = re.compile(r"[^\t\n\r\u0020-\u007e\u00a1-\u00ff]")
"""https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html; IAM takes the same."""
_TAG = re.compile(r"[^\w\s_.:/=+\-@]")
"""https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_Tag.html: letters, blanks, digits of any script."""
_ALIKE = str.maketrans(
    {
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u2033": '"',
        "\u2026": "...", "\u2022": "*", "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u202f": " ",
        "\u20ac": "EUR", "\u2122": "(TM)", "\u2192": "->", "\u2028": "\n", "\u2029": "\n",
    }
)  # fmt: skip


def description(text: str, longest: int) -> tuple[str, tuple[str, ...]]:
    """A description as AWS takes it, at most `longest` characters, and warnings that say what was changed in it."""
    warnings = []
    clean = _DESCRIPTION.sub(_like, text.translate(_ALIKE))
    if clean != text:
        warnings.append("characters of its description that AWS does not take were replaced")
    if len(clean) > longest:
        warnings.append(f"its description has {len(clean)} characters, and AWS takes {longest}: the rest was cut off")
    return clean[:longest], tuple(warnings)


def tag_value(text: str) -> str:
    """A value of a tag in the characters that AWS takes."""
    return _TAG.sub("-", text)


def _like(match: re.Match[str]) -> str:
    """A character without its accent, where it is a letter with one, else a question mark."""
    plain = unicodedata.normalize("NFKD", match[0])[0]
    return plain if _DESCRIPTION.fullmatch(plain) is None else "?"
