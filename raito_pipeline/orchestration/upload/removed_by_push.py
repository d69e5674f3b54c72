"""What a push took out of AWS after IAM was read: access providers that are not imported any more."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from raito_pipeline.aws.push.inputs import made_of, versions
from raito_pipeline.model import AccessControl, AccessProvider, PushResult
from raito_pipeline.storage import Store


def removed_by_push(store: Store, account: str) -> frozenset[str]:
    """External ids that the push took out of AWS after IAM was read: what their access controls have now is not them.

    Empty where IAM was read again, or the access controls were exported again, since the push: what is in AWS now is
    what was read.
    """
    results = store.info("access_push_results", account)
    if results is None or made_of(results) is None or made_of(results) != versions(store, account):
        return frozenset()
    left = {result.access_control_id: result.external_id for result in store.rows(PushResult, account)}
    controls = (control for control in store.rows(AccessControl, account) if control.id in left)
    return frozenset(c.external_id for c in controls if c.external_id and left[c.id] != c.external_id)


def still_there(rows: Iterable[AccessProvider], removed: frozenset[str]) -> Iterator[AccessProvider]:
    """The access providers less those that were removed, which the others do not name any more, either."""
    for row in rows:
        if row.external_id in removed:
            continue
        others = row.who_access_providers
        if others and removed.intersection(others):
            others = tuple(other for other in others if other not in removed)
            yield replace(row, who_access_providers=others)
        else:
            yield row
