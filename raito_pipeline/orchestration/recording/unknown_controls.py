"""What is not known of the control policies that limit an account: said once an account, and not with each row."""

from raito_pipeline.config import Options
from raito_pipeline.model import OrgAccount, table_of
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.partitioning.grid import cell_of
from raito_pipeline.orchestration.recording.guard import in_one_sentence
from raito_pipeline.storage import ReadStatus, Store

_TABLE = table_of(OrgAccount).name
_THEM = "service and resource control policies of its organization"
_SHOWN = "what they deny is shown as given"


def unknown_controls(options: Options, store: Store, account: str, account_id: str) -> str | None:
    """Why the control policies of an account (its partition and its id) are not known, in a sentence; None = they are.

    They are optional: nothing is partial because of it.
    """
    key = partitions.organization_of(options, account)
    if key is None:
        why = "no organization is configured for this account (aws-organization-profile)"
        return f"{_THEM} are not known: {why}; {_SHOWN}"
    place = cell_of("organization", key).place
    info = store.info(_TABLE, *place)
    if info is None:
        return f"{_THEM} were never read: sync the organization; until then {_SHOWN}"
    known = any(row.account_id == account_id for row in store.earlier(OrgAccount, *place))
    if known and info.status is ReadStatus.COMPLETE:
        return None
    problems = in_one_sentence(info.problems)
    if known:
        return f"{_THEM} may be those of an earlier sync: {problems}"
    if info.status is ReadStatus.COMPLETE:
        why = (
            "it is no member of the organization that raito.yml links, or was not in raito.yml when that was read last"
        )
        return f"{_THEM} are not known: {why}; {_SHOWN}"
    return f"{_THEM} could not be read, so {_SHOWN}: {problems}"
