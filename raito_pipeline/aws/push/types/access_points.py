"""The plan for access controls that are access points: one bucket, principals of the who, statements of the what."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from raito_pipeline.aws.access.external_ids import ACCESS_POINT
from raito_pipeline.aws.access.points import TYPE
from raito_pipeline.aws.data_objects.names import parse_full_name
from raito_pipeline.aws.policy.wildcards import matches
from raito_pipeline.aws.push.account.imported import EVERYBODY, Claims
from raito_pipeline.aws.push.account.point_state import name_in_arn
from raito_pipeline.aws.push.account.taken_away import claims_taken_out
from raito_pipeline.aws.push.documents.bucket_consent import SID, ConsentProblem, delegates, delegation, with_delegation
from raito_pipeline.aws.push.documents.statements import compact, same
from raito_pipeline.aws.push.draft import UNTIL_THEN, Draft, Plans, Refused
from raito_pipeline.aws.push.owners.owner_tags import named_in_tags, owner_of
from raito_pipeline.aws.push.types.access_point_changes import (
    NO_POLICY,
    NOT_READ,
    CreateAccessPoint,
    CreatePointPolicy,
    DelegateToAccessPoints,
    DeleteAccessPoint,
    DeletePointPolicy,
    UpdatePointPolicy,
)
from raito_pipeline.aws.push.types.access_point_statements import (
    POINT_POLICY_LIMIT,
    CurrentPolicy,
    Grant,
    Statement,
    gives_at_times,
    grants,
    kept,
    narrowed,
    point_document,
    point_policy,
    point_statements,
    principals_of,
    read_current,
    with_principals,
)
from raito_pipeline.aws.push.types.grants import described_and_tagged
from raito_pipeline.aws.push.types.point_who import PointWho, point_who
from raito_pipeline.model import AccessControl, AccessPoint, S3Bucket, WhoEntry, made_by_raito

_ARN = re.compile(r"arn:[^:]+:s3:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):accesspoint/(?P<name>[a-z0-9-]+)")


@dataclass(frozen=True)
class _PointPlace:
    """Where an access point is, or will be."""

    arn: str
    bucket: str
    """its name"""
    there: AccessPoint | None
    """None where it has to be made"""


def plan_access_point(plans: Plans, draft: Draft) -> None:
    """Plan one access point. Raises `Refused`."""
    place = _place(plans, draft)
    draft.external_id = f"{ACCESS_POINT}{place.arn}"
    wanted = _wanted(plans, draft, place)
    if place.there is None:
        request = {"Bucket": place.bucket, "Tags": described_and_tagged(draft)["Tags"]}
        draft.change(CreateAccessPoint, place.arn, "it was granted in Raito Cloud", after=compact(request))
    _plan_policy(draft, place, wanted)
    if wanted is not None:
        _plan_consent(plans, draft, place)
    if not draft.rows:
        draft.nothing("access-point", place.arn, "AWS has it as it was granted")


def delete_access_point(plans: Plans, draft: Draft) -> None:
    """Plan to remove one access point. What is gone already needs no change. Raises `Refused`."""
    arn = plans.existing(draft.control, ACCESS_POINT)
    if arn is not None:
        region = _region_of(plans, arn)
        there = plans.state.points.points.get(arn)
        if there is not None or plans.state.points.why_unknown(region) is not None:
            # Where the access points of a region are not known, AWS says whether it is gone.
            before = (there.policy or NO_POLICY) if there is not None else NOT_READ
            draft.change(DeleteAccessPoint, arn, "it was removed in Raito Cloud", before=before)
            return
    draft.nothing("access-point", arn or draft.control.name, "it is to be removed, and is gone already")


def kept_point_name(plans: Plans, control: AccessControl, current: str) -> str | None:
    """The name that an access point keeps: its own, since access points cannot be renamed."""
    del plans, control
    return current


def buckets_behind(controls: Iterable[AccessControl], buckets: Mapping[str, S3Bucket]) -> list[S3Bucket]:
    """The buckets that access points of an export open, less those that are to be removed; each once, by name."""
    places = (
        parse_full_name(item.data_object.full_name)
        for control in controls
        if control.type == TYPE and not control.delete
        for item in control.what
    )
    names = {place.bucket for place in places if place is not None}
    return [buckets[name] for name in sorted(names & buckets.keys())]


# -- where -------------------------------------------------------------------------------------------------------------


def _place(plans: Plans, draft: Draft) -> _PointPlace:
    """The access point of an access control: the one it has, or the one it will have. Raises `Refused`."""
    state, arn = plans.state.points, plans.existing(draft.control, ACCESS_POINT)
    if arn is not None:
        region = _region_of(plans, arn)
        there = state.points.get(arn)
        if there is not None:
            return _PointPlace(arn, there.bucket, there)
        _require_known(plans, region, stays=True)
        draft.warnings.append(f"access point {draft.name} was gone from AWS, and is made anew")
    elif draft.control.external_id:
        raise Refused(f"its external id {draft.control.external_id!r} is not that of an access point")
    bucket = _one_bucket(plans, draft)
    region = bucket.region or ""
    new = f"arn:{plans.options.aws_partition}:s3:{region}:{plans.state.account_id}:accesspoint/{draft.name}"
    there = state.points.get(new)
    if there is None:
        _require_known(plans, region)
    else:
        _require_own(there, bucket, draft.control)
    return _PointPlace(new, bucket.name, there)


def _region_of(plans: Plans, arn: str) -> str:
    match = _ARN.fullmatch(arn)
    if match is None or match["account"] != plans.state.account_id:
        raise Refused(f"its external id names {arn!r}, which is no access point of account {plans.state.account_id}")
    return match["region"]


def _require_known(plans: Plans, region: str, *, stays: bool = False) -> None:
    """Raise `Refused` where it is not known what a region has. `stays`: what gives access there goes on doing so."""
    reason = plans.state.points.why_unknown(region)
    if reason is not None:
        raise Refused(
            f"the access points of region {region} are not known: {reason.rstrip('.')}{UNTIL_THEN if stays else ''}"
        )


def _require_own(there: AccessPoint, bucket: S3Bucket, control: AccessControl) -> None:
    """Raise `Refused` for one that has the name already, unless a push made it for this bucket and access control."""
    if there.bucket != bucket.name:
        raise Refused(
            f"access point {there.name} exists in {bucket.region} and opens bucket {there.bucket}, which AWS never "
            f"changes: give the access control another name, or delete the access point"
        )
    if not made_by_raito(there.tags) and not (there.tags is None and there.policy is None):
        raise Refused(f"access point {there.name} exists in AWS and was not made by Raito (no tag creator=RAITO)")
    _, owner = owner_of(there.tags)
    if owner not in (None, named_in_tags(control)):
        raise Refused(f"access point {there.name} exists in AWS and belongs to access control {owner}, as its tags say")


def _one_bucket(plans: Plans, draft: Draft) -> S3Bucket:
    """The one bucket of a what. Raises `Refused` where there is none, or several, or one that is not known."""
    names: dict[str, None] = {}
    for item in draft.control.what:
        name = _bucket_name(plans, item.data_object.full_name)
        if name is not None:
            names[name] = None
    if len(names) > 1:
        raise Refused(
            f"an access point opens one bucket, and its what is in {len(names)}: {', '.join(sorted(names))}. Make an "
            f"access control for each"
        )
    if not names:
        raise Refused("its what names no bucket of the account, and an access point opens exactly one")
    return _known_bucket(plans, next(iter(names)))


def _bucket_name(plans: Plans, full_name: str) -> str | None:
    place = parse_full_name(full_name)
    return place.bucket if place is not None and place.account == plans.state.account_id else None


def _known_bucket(plans: Plans, name: str) -> S3Bucket:
    """A bucket of the account, whose region is known. Raises `Refused`."""
    bucket = plans.state.points.buckets.get(name)
    if bucket is None:
        raise Refused(f"bucket {name} is not among the buckets of the account")
    if bucket.region is None:
        raise Refused(f"the region of bucket {name} could not be read, and its access points are in that region")
    return bucket


# -- what and who ------------------------------------------------------------------------------------------------------


def _wanted(plans: Plans, draft: Draft, place: _PointPlace) -> str | None:
    """The policy that the access point is to have; None where nobody is to have access through it."""
    control, there = draft.control, place.there
    users, roles = plans.state.users.values(), plans.state.roles.values()
    known = {user.arn for user in users} | {role.arn for role in roles}
    current = read_current(there.policy if there else None, known, plans.state.account_id)
    statements = _what(plans, draft, place)
    if there is not None and control.what_locked:
        statements = current.plain
    principals = _who(plans, draft, current, existing=there is not None)
    # What Raito did not make holds what it cannot show: that stays.
    own = point_policy(statements, principals)
    if there is None or made_by_raito(there.tags):
        _warn_of_nobody(draft, own, principals)
        return _within_limit(draft, own, [], current)
    # What Raito did not make may say the same in other words, and holds what Raito cannot show: that stays.
    shown = _shown(plans, draft, place)
    lost = _taken_out(plans, draft) - principals
    names = {claim.permission for claim in _claims_taken_out(plans, draft, place)}
    hidden = _not_shown(shown, current, principals, lost, names) if shown is not None else []
    others = _less(current.others, lost)
    _say_what_stays_of_others(plans, draft, place, others)
    _warn_of_nobody(draft, [*own, *hidden, *others], principals)
    elsewhere = _given_as_everybody(shown, current) if shown is not None else set()
    _say_what_stays(draft, elsewhere - grants(own), principals)
    own = kept(own, grants(own) - elsewhere)
    if grants([*own, *hidden]) == grants(current.plain) and others == current.others:
        return there.policy
    return _within_limit(draft, own, [*hidden, *others], current)


def _warn_of_nobody(draft: Draft, statements: Iterable[Statement], principals: set[str]) -> None:
    """Say that nobody has access through it, where no statement gives any."""
    if not any(each.get("Effect") == "Allow" for each in statements):
        nobody = "nobody is in its who" if not principals else "nothing of its what can be granted"
        draft.warnings.append(f"{nobody}: it is an access point through which nobody has access")


@dataclass(frozen=True)
class _Shown:
    """What the import shows of an access point: the principals of its who, and what it gives them."""

    principals: set[str]
    grants: set[Grant]


def _not_shown(
    shown: _Shown, current: CurrentPolicy, wanted: set[str], lost: set[str], names: Collection[str]
) -> list[Statement]:
    """What the policy gives that the import shows nowhere: to others than its who, or beside its what to those wanted.

    An import has one who and one what, and a policy may have several. `lost` are those who were taken out of the who,
    `names` the permissions that were taken out of the what.
    """
    permissions = {(grant[0], grant[1]) for grant in shown.grants} | {(each, name) for each in wanted for name in names}
    hidden = {
        grant
        for grant in grants(current.plain)
        if (grant[0], grant[1]) not in permissions and (grant[0] in wanted or grant[0] not in shown.principals)
    }
    return kept(current.plain, {grant for grant in hidden if grant[0] not in lost})


def _taken_out(plans: Plans, draft: Draft) -> set[str]:
    """The ARNs of those whom the who lost, less those of its locked parts."""
    gone = draft.control.deleted_who
    if gone is None:
        return set()
    return _arns(point_who(plans, Draft(replace(draft.control, who=gone), draft.kind), there=True))


def _less(statements: Iterable[Statement], lost: set[str]) -> list[Statement]:
    """Statements without those who were taken out; a Deny stays as it is."""
    left = (
        each
        if each.get("Effect") != "Allow" or lost.isdisjoint(principals_of(each))
        else with_principals(each, [one for one in principals_of(each) if one not in lost])
        for each in statements
    )
    return [each for each in left if each is not None]


def _shown(plans: Plans, draft: Draft, place: _PointPlace) -> _Shown | None:
    """What the import shows of it; None where it shows nothing."""
    view, own_id = plans.state.view, draft.external_id or ""
    row, claims = view.providers.get(own_id), view.what(own_id)
    if row is None or claims is None:
        return None
    who = WhoEntry(row.who_users or (), row.who_groups or (), row.who_access_providers or (), ())
    principals = _arns(point_who(plans, Draft(replace(draft.control, who=who), draft.kind)))
    before = view.unshown_of(own_id)
    principals = set() if EVERYBODY in before else principals - before
    partition = plans.options.aws_partition
    made = point_statements(view.items(claims), place.arn, place.bucket, plans.state.account_id, partition)
    return _Shown(principals, grants(point_policy(made.statements, principals)))


def _given_as_everybody(shown: _Shown, current: CurrentPolicy) -> set[Grant]:
    """What the import shows of those whom no statement names that a push could have written: it is for everybody."""
    return {grant for grant in shown.grants if grant[0] not in current.principals}


def _say_what_stays(draft: Draft, left: set[Grant], principals: set[str]) -> None:
    """An error for what was taken away from some, and is given to everybody by a statement that stays."""
    control = draft.control
    for principal in sorted({grant[0] for grant in left}):
        is_locked = control.inheritance_locked if ":role/" in principal else control.who_locked
        if control.what_locked if principal in principals else is_locked:
            continue
        draft.leave_out(
            f"{principal} keeps what the policy of the access point gives to everybody: a statement that names "
            f"everybody cannot be taken away from some. Change it in AWS"
        )


def _say_what_stays_of_others(plans: Plans, draft: Draft, place: _PointPlace, others: list[Statement]) -> None:
    """An error for what was taken out of the what, and is given under a condition or to everybody, which stays."""
    view, account = plans.state.view, plans.state.account_id
    gone = view.items(_claims_taken_out(plans, draft, place))
    if not gone:
        return
    made = point_statements(gone, place.arn, place.bucket, account, plans.options.aws_partition).statements
    lost = grants(point_policy(made, ["*"]))
    for statement in others:
        names = sorted({grant[1] for grant in gives_at_times(statement) for each in lost if _is_part(each, grant)})
        if names:
            draft.leave_out(
                f"{', '.join(names)} was taken away, and a statement of the policy of the access point gives it under "
                f"a condition, or to others than users and roles of the account: it stays. Change it in AWS"
            )


def _claims_taken_out(plans: Plans, draft: Draft, place: _PointPlace) -> Claims:
    """What the what lost of the bucket of the access point: it never gave anything else."""
    return frozenset(each for each in claims_taken_out(plans, draft) if each.target.bucket in ("", place.bucket))


def _is_part(lost: Grant, given: Grant) -> bool:
    return lost[1] == given[1] and any(
        matches(one, other, ignore_case=False, variables=False)
        for one, other in ((lost[2], given[2]), (given[2], lost[2]))
    )


def _arns(who: PointWho) -> set[str]:
    return who.users | who.roles


def _what(plans: Plans, draft: Draft, place: _PointPlace) -> list[Statement]:
    """Statements without principals for what is in the bucket of the access point; the rest are errors."""
    inside = []
    for item in draft.control.what:
        name = _bucket_name(plans, item.data_object.full_name)
        if name == place.bucket:
            inside.append(item)
        else:
            draft.leave_out(_why_outside(item.data_object.full_name, name, place))
    made = point_statements(inside, place.arn, place.bucket, plans.state.account_id, plans.options.aws_partition)
    for problem in made.problems:
        draft.leave_out(problem)
    draft.warnings += made.warnings
    if not made.statements and place.there is None:
        raise Refused("; ".join(dict.fromkeys([*draft.errors, *made.warnings])) or "its what gives nothing")
    return made.statements


def _why_outside(full_name: str, bucket: str | None, place: _PointPlace) -> str:
    if bucket is None:
        return f"data object {full_name} is in no bucket of the account, and an access point opens exactly one"
    return (
        f"data object {full_name} is not in bucket {place.bucket}, which access point {name_in_arn(place.arn)} "
        f"opens for ever: delete this access control and make another one, which gets an access point of its own"
    )


def _who(plans: Plans, draft: Draft, current: CurrentPolicy, *, existing: bool) -> set[str]:
    """Principals: those of the who, and where a part of it is locked those that are there."""
    control, who = draft.control, point_who(plans, draft, there=existing)
    who.roles -= _roles_that_go(plans, draft, who)
    users = {row.arn for row in plans.state.users.values()}
    had = PointWho(current.principals & users, current.principals - users)
    kept_users = existing and control.who_locked
    kept_roles = existing and control.inheritance_locked
    return (had.users if kept_users else who.users) | (had.roles if kept_roles else who.roles)


def _roles_that_go(plans: Plans, draft: Draft, who: PointWho) -> set[str]:
    """The roles of permission sets that nobody has any more by this push: AWS removes them, and what names them breaks.

    Each is an error of its own.
    """
    going = {role.arn: name for name in plans.emptied for role in plans.state.reserved_roles(name)}
    for arn in sorted(who.roles & going.keys()):
        draft.leave_out(
            f"permission set {going[arn]} in its who: nobody has it in this account any more by this push, so that AWS "
            f"removes its role there"
        )
    return who.roles & going.keys()


def _within_limit(draft: Draft, own: list[Statement], others: list[Statement], current: CurrentPolicy) -> str | None:
    """The document; past AWS's limit only what was there before and is still wanted, and an error. Raises `Refused`."""
    document = point_document([*own, *others])
    size = len((document or "").encode())
    if size <= POINT_POLICY_LIMIT:
        return document
    reason = (
        f"its policy would have {size} bytes, and AWS takes {POINT_POLICY_LIMIT} for an access point: grant it to a "
        f"role in place of many users, or on fewer data objects"
    )
    left = point_document([*narrowed(own, grants(current.plain)), *others])
    if not current.plain or len((left or "").encode()) > POINT_POLICY_LIMIT:
        raise Refused(reason)
    draft.leave_out(f"{reason}. Nobody gets anything new; what was taken away is gone")
    return left


# -- changes -----------------------------------------------------------------------------------------------------------


def _plan_policy(draft: Draft, place: _PointPlace, wanted: str | None) -> None:
    before = place.there.policy if place.there is not None else None
    if wanted is None:
        if before is not None:
            draft.change(DeletePointPolicy, place.arn, "nobody is to have access through it", before=before)
    elif before is None:
        draft.change(CreatePointPolicy, place.arn, "what it gives access to, and to whom", after=wanted)
    elif not same(before, wanted):
        why = "what it gives access to, or to whom, has changed"
        draft.change(UpdatePointPolicy, place.arn, why, before=before, after=wanted)


def _plan_consent(plans: Plans, draft: Draft, place: _PointPlace) -> None:
    """Ask whether the bucket leaves it to the access point who has access, and what to do where it does not."""
    bucket, partition = place.bucket, plans.options.aws_partition
    asked = plans.state.points.policies.get(bucket)
    if asked is None or asked.problem is not None:
        why = "it was not read" if asked is None else asked.problem
        draft.warnings.append(
            f"whether bucket {bucket} delegates to access points is not known ({why}); if it does not, this grant "
            f"gives nothing by itself"
        )
        return
    if delegates(asked.policy, bucket, place.arn, partition):
        return
    statement = compact(delegation(bucket, plans.state.account_id, partition))
    warning = (
        f"bucket {bucket} does not delegate to access points: this grant gives nothing by itself, only to who has the "
        f"same access on the bucket. Add this statement to the policy of the bucket: {statement}"
    )
    if not plans.options.aws_access_point_delegation:
        draft.warnings.append(f"{warning}, or set aws-access-point-delegation")
        return
    try:
        _require_nobody_elses(plans, bucket)
        after = with_delegation(asked.policy, bucket, plans.state.account_id, partition)
    except ConsentProblem as problem:
        draft.warnings.append(f"{warning}. aws-access-point-delegation does not add it: {problem}")
        return
    resource = f"arn:{partition}:s3:::{bucket}"
    why = f"statement {SID}: without it the access point grants nothing by itself"
    # Each access point of the bucket asks for it, as none gives anything without it: the first one to come adds it.
    draft.change(DelegateToAccessPoints, resource, why, before=asked.policy, after=after)


def _require_nobody_elses(plans: Plans, bucket: str) -> None:
    """Raise `ConsentProblem` where the bucket has access points of others, which would give what they say by it."""
    there = plans.state.points.points.values()
    others = sorted(
        each.name for each in there if each.bucket == bucket and not made_by_raito(each.tags) and each.policy
    )
    if others:
        raise ConsentProblem(
            f"bucket {bucket} has access points that Raito did not make, which would give what their policies say: "
            f"{', '.join(others)}"
        )
