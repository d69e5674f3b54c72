"""What a plan goes by of the exports and plans before it: claims of other targets, and whom no import showed."""

import json
from collections.abc import Iterable, Sequence

from raito_pipeline.aws.push.account.imported import EVERYBODY, OF_ALL
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.model import AccessControl, AccessProvider, PushResult
from raito_pipeline.orchestration.push.last_push import LastPush, UnreadableNote
from raito_pipeline.storage import CellUnusable, Store

EXPORT = "access_controls"
EXPORT_IS, WHOLE = "export", "whole"
"""What the cell of an export notes where it holds every access control of the data source."""
CLAIMED = "claimed before"
"""What the cell of another export notes: external ids (JSON) that exports before it claimed, and it does not name."""
CLAIMS_LOST = "claims lost"
"""What it notes where that is not known any more."""
TARGETS, UNSHOWN = "access_push_targets", "not shown"
"""What the cell of the targets notes: who has what Raito did not make and was shown by no import (JSON)."""
SHARED = "shared"
"""What it notes once several targets push into the account: what has no tag of an owner may be that of any of them."""


def claims(store: Store, account: str) -> list[str] | None:
    """The external ids that the stored export of an account names, or that exports before it claimed, sorted.

    None where that is not known any more: it cannot be read, or is gone although it was planned on.
    """
    info = store.info(EXPORT, account)
    try:
        named = {control.external_id for control in store.remembered(AccessControl, account)}
    except CellUnusable:
        return None
    if info is None:
        return None if was_planned(store, account) else []
    if CLAIMS_LOST in info.extra:
        return None
    return sorted({*json.loads(info.extra.get(CLAIMED, "[]")), *(each for each in named if each)})


def was_planned(store: Store, account: str) -> bool:
    """Whether a push of an account was planned once, whatever else is stored of it."""
    table = "access_push_plan"
    return store.info(table, account) is not None or store.unusable(table, account) is not None


def noted_unshown(store: Store, account: str) -> dict[str, list[str]]:
    """Whom no import showed, as plans before noted it, by external id; everybody of everything where that is lost."""
    info = store.info(TARGETS, account)
    if info is not None:
        return dict(json.loads(info.extra.get(UNSHOWN, "{}")))
    return {OF_ALL: [EVERYBODY]} if store.unusable(TARGETS, account) or was_planned(store, account) else {}


def was_shared(store: Store, account: str) -> bool:
    """Whether several targets pushed into the account, as plans before noted it; also where that is lost."""
    info = store.info(TARGETS, account)
    if info is not None:
        return SHARED in info.extra
    return store.unusable(TARGETS, account) is not None or was_planned(store, account)


def push_notes(store: Store, account: str) -> dict[str, str]:
    """What the cell of the targets goes on noting where nothing is planned."""
    unshown = noted_unshown(store, account)
    shared = {SHARED: "yes"} if was_shared(store, account) else {}
    return {**({UNSHOWN: json.dumps(unshown)} if unshown else {}), **shared}


def unshown_after(store: Store, plan: AccountPlan, *, whole: bool) -> str:
    """The note after a plan: what it says, and of what it did not look at what was noted before.

    Of a `whole` export that is what it names; of another one also what it does not name.
    """
    named = {control.external_id for control in plan.controls}
    before = noted_unshown(store, plan.account)
    kept = {key: names for key, names in before.items() if key in named or not whole}
    if whole and OF_ALL in before:
        refused = {target.access_control_id for target in plan.targets if target.refused}
        ids = (control.external_id for control in plan.controls if control.id in refused)
        kept = {**{each: [EVERYBODY] for each in ids if each is not None}, **kept}
    after = {**kept, **plan.unshown}
    return json.dumps({key: names for key, names in after.items() if names or OF_ALL in after})


def spoken_of(
    store: Store, account: str, controls: Iterable[AccessControl], last: LastPush | UnreadableNote | None
) -> list[tuple[str, str]]:
    """Full names and types of the data objects that Raito Cloud speaks of, or was told of before the first push.

    Of what a document of AWS names, a push takes away what Raito Cloud showed and the export lacks. A file or folder
    that came into being after Raito Cloud took a policy over was never shown there, so it is none of these: its access
    stays.
    """
    listed = list(controls)
    named = {item.data_object for control in listed for item in (*control.what, *control.delete_what)}
    first = {control.external_id for control in _of_a_first_push(store, account, listed, last)}
    for row in store.earlier(AccessProvider, account):
        if row.external_id in first:
            named.update(item.data_object for item in row.what)
    return [(each.full_name, each.type or "folder") for each in sorted(named)]


def _of_a_first_push(
    store: Store, account: str, controls: Sequence[AccessControl], last: LastPush | UnreadableNote | None
) -> list[AccessControl]:
    """Those of the access controls that no push made before; none where it is not known any more which those are.

    A push that failed, or was of others alone, says nothing of them: then what the pushes before it left counts.
    """
    made = {result.access_control_id for result in store.earlier(PushResult, account) if not result.errors}
    new = [control for control in controls if control.external_id and control.id not in made]
    if isinstance(last, UnreadableNote) or (last is None and store.unusable("access_push_results", account)):
        return []
    noted = set() if last is None else {*(control.id for control in last.controls), *last.unknown}
    return [control for control in new if control.id not in noted]
