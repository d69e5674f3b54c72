"""The one page of the local Raito Cloud: what has arrived, as tables."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1c2430 }
table { border-collapse: collapse; margin: .5rem 0 2rem; width: 100% }
th, td { text-align: left; padding: .35rem .8rem; border-bottom: 1px solid #dde2e8; vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem } small { color: #66707c }
"""


def page(counts: Mapping[str, Any], domain: str) -> str:
    """The page as HTML, from the counts of `counts.count_all`."""
    sources = [_source(identifier, source) for identifier, source in counts["dataSources"].items()]
    stores = [_store(identifier, store) for identifier, store in counts["identityStores"].items()]
    columns = ("Data source", "Data objects", "Access providers", "#Usage statements", "Access controls")
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Local Raito Cloud</title>"
        f"<style>{_STYLE}</style><h1>Local Raito Cloud <small>domain {escape(domain)}</small></h1>"
        f"<h2>Data sources</h2>{_table(columns, sources)}"
        f"<h2>Identity stores</h2>{_table(('Identity store', '#Users', '#Groups', '#Memberships'), stores)}"
        "<p><small>GraphQL: POST /query. The same as JSON: <a href=/sandbox-api/counts>/sandbox-api/counts</a>;"
        " what clients asked for: <a href=/sandbox-api/log>/sandbox-api/log</a></small></p></html>"
    )


def _source(identifier: str, source: Mapping[str, Any]) -> list[str]:
    return [
        _named(identifier, source),
        _split(source["dataObjects"]),
        _split(source["accessProviders"]),
        f"{source['usageStatements']:,}",
        _split(source["accessControls"]),
    ]


def _store(identifier: str, store: Mapping[str, Any]) -> list[str]:
    return [_named(identifier, store), *(f"{store[name]:,}" for name in ("users", "groups", "memberships"))]


def _named(identifier: str, item: Mapping[str, Any]) -> str:
    kind = f"{escape(item['type'])}, " if item["type"] else ""
    return f"{escape(item['name'])}<br><small>{kind}{escape(identifier)}</small>"


def _split(numbers: Mapping[str, int]) -> str:
    if not numbers:
        return "none"
    lines = "<br>".join(f"{escape(kind or '(no type)')} {number:,}" for kind, number in sorted(numbers.items()))
    return f"<b>{sum(numbers.values()):,}</b><br>{lines}"


def _table(columns: Iterable[str], rows: Iterable[list[str]]) -> str:
    """Columns whose name begins with "#" hold numbers."""
    columns = list(columns)
    kinds = [" class=n" if column.startswith("#") else "" for column in columns]
    head = "".join(f"<th{kind}>{column.lstrip('#')}" for kind, column in zip(kinds, columns, strict=True))
    body = "".join("<tr>" + "".join(f"<td{kind}>{cell}" for kind, cell in zip(kinds, row, strict=True)) for row in rows)
    return f"<table><tr>{head}{body}</table>"
