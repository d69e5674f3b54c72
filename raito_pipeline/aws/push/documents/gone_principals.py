"""Principals of documents who are gone: AWS shows their unique ids, and takes no document back that has them.

A user or role that is deleted stands in trust policies and policies of resources as `AIDA...` or `AROA...` from then
on. Whatever is written anew is refused with it ("Invalid principal in policy"), so that nobody could be taken out of
such a document any more.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from collections.abc import Iterable
from typing import Any

from raito_pipeline.aws.policy.principals import is_gone
from raito_pipeline.aws.push.documents.statements import as_list


def without_gone(statements: Iterable[Any]) -> list[Any]:
    """Statements without principals who are gone, and those away that name nobody else. `NotPrincipal` stays."""
    return [left for each in statements if (left := _without_gone(each)) is not None]


def _without_gone(statement: Any) -> Any | None:
    principal = statement.get("Principal") if isinstance(statement, dict) else None
    if not isinstance(principal, dict) or not any(map(is_gone, as_list(principal.get("AWS")))):
        return statement
    living = [one for one in as_list(principal["AWS"]) if not is_gone(one)]
    others = {kind: value for kind, value in principal.items() if kind != "AWS"}
    rest = {**({"AWS": living} if living else {}), **others}
    return {**statement, "Principal": rest} if rest else None
