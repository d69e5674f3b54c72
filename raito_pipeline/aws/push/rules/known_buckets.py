"""Nothing outside the account and its buckets is granted: each element of a what names a bucket that is known.

A name is never expanded: `*` and `data-*` are no names of buckets, and would give what nobody has seen.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from raito_pipeline.aws.data_objects.names import parse_full_name
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.model import WhatItem

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
"""as long and with all the characters that buckets of the first years may have"""


def leave_out_unknown(
    draft: Draft,
    account_id: str,
    buckets: Mapping[str, str | None] | None,
    stays: Callable[[WhatItem], WhatItem | None] = lambda _: None,
) -> tuple[WhatItem, ...]:
    """Take what lies outside out of a what; each is an error of its own. With nothing left, nothing new is made.

    `stays` says what of an element the access control gives already, on a bucket that is only not synced: that is
    neither given anew nor taken away. Gives these elements.
    """
    if draft.control.delete or buckets is None:
        return ()
    reasons = {item: reason_against(item.data_object.full_name, account_id, buckets) for item in draft.control.what}
    refused = {item: reason for item, reason in reasons.items() if reason}
    if not refused:
        return ()
    given = {item: one for item in refused if (one := stays(item)) is not None}
    for reason in dict.fromkeys(reason for item, reason in refused.items() if given.get(item) != item):
        draft.leave_out(reason)
    for name in sorted({item.data_object.full_name for item in given}):
        draft.warnings.append(f"data object {name}: its bucket is not synced, and what is given on it stays as it is")
    kept = tuple(given.get(item, item) for item in draft.control.what if not reasons[item] or item in given)
    if not kept and draft.control.external_id is None:
        draft.make_nothing("nothing of its what can be granted")
    draft.control = replace(draft.control, what=kept)
    return tuple(given.values())


def reason_against(full_name: str, account_id: str, buckets: Mapping[str, str | None]) -> str | None:
    """Why nothing is granted on a data object; None where it lies in a known bucket, or is the account itself."""
    if full_name == account_id:
        return None
    place = parse_full_name(full_name)
    if place is None:
        return f"data object {full_name!r} is not in the account"
    if place.account != account_id:
        return f"data object {full_name} is not of account {account_id}"
    if not _BUCKET.fullmatch(place.bucket):
        return f"data object {full_name}: {place.bucket!r} is no name of a bucket, and wildcards are not expanded"
    if place.bucket not in buckets:
        return f"data object {full_name}: bucket {place.bucket} is not among the buckets of the account that are synced"
    region = buckets[place.bucket]
    if region is not None and region != place.region:
        return f"data object {full_name}: bucket {place.bucket} lies in {region}, not in {place.region or 'no region'}"
    return None
