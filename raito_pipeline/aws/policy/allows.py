"""What an Allow gives: claims, and what of it could not be represented.

Nothing is claimed that may not be given: a condition that does not hold in ordinary calls, or that nobody can decide
beforehand, gives nothing here. A single key is a file where that is a data object; of keys that begin in some way the
known folders are claimed. What needs an object that there is (reading, deleting) is exact for any pattern of keys where
all keys of a bucket are known; what writes may make new ones. An identity policy on the ARN of an access point gives
nothing here: access through an access point takes the consent of its bucket as well (`access/own_points.py`, which says
of which resources that is known). Where a statement is about access points without naming them, by a wildcard or
`NotResource`, that is a reason unless it gives the same on their buckets.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from raito_pipeline.aws.policy.actions import meaning, permissions_of
from raito_pipeline.aws.policy.claims import Claim, OtherBucket, Scope, WantedPaths, patterns
from raito_pipeline.aws.policy.conditions import Bearing, Judged, judge
from raito_pipeline.aws.policy.documents import Statement
from raito_pipeline.aws.policy.permissions import Permission, permission
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.remarks import Remark, told
from raito_pipeline.aws.policy.resources import (
    ACCOUNT,
    LIST_BUCKETS,
    BucketResource,
    NoPattern,
    Pattern,
    PermissionTarget,
    account_level_share,
    touches,
)
from raito_pipeline.aws.policy.wildcards import Rest

SELDOM = "as they seldom are"
"""how the reason ends of an Allow that gives nothing to ordinary calls"""


def allowed(statement: Statement, scope: Scope) -> tuple[set[Claim], list[Reason]]:
    """What an Allow gives, and what of it could not be represented: one reason a code."""
    names = permissions_of(statement)
    remarks = [why for pattern in statement.actions or () if (why := meaning(pattern).remark) is not None]
    if not names:
        return set(), told(remarks)
    judged = judge(statement, scope.facts)
    if judged.bearing is Bearing.NEVER:
        return set(), told(_of_others(statement, scope))
    wanted = [right for name in sorted(names) if (right := permission(name)) is not None]
    if judged.bearing is Bearing.USUALLY:
        only = f"Condition ({judged.texts}): it gives access to calls that are made so, as they usually are"
        remarks.append(Remark(Code.NOTE, "", only))
    elif judged.bearing is not Bearing.ALWAYS:
        about: list[Remark] = []
        gives = _on_resources(statement, wanted, scope, about)
        # A condition on what is not of the account, or is claimed anyway, keeps nothing from anybody here.
        lacks = any(not scope.shows(each.target, each.permission) for each in gives)
        nothing = not lacks and not any(remark.code.is_incomplete for remark in about)
        return set(), told([*remarks, *about] if nothing else [*remarks, _to_some_calls(judged)])
    return _on_resources(statement, wanted, scope, remarks), told(remarks)


def _of_others(statement: Statement, scope: Scope) -> Iterator[Remark]:
    """What a statement names of other accounts that gives nothing in this one, where it may give something there."""
    if not scope.account_wide or judge(statement, replace(scope.facts, elsewhere=True)).bearing is Bearing.NEVER:
        return
    for pattern in patterns(statement.resources or (), statement, scope):
        if _is_of_another_account(pattern, scope):
            yield _not_found(pattern, scope)


def _is_of_another_account(pattern: Pattern, scope: Scope) -> bool:
    """True for a bucket by its name, or an access point, that is none of the account."""
    if pattern.plain:
        return pattern.bucket is not None and pattern.bucket not in scope.all_by_name
    return pattern.account.isdigit() and pattern.account != scope.facts.account_id


def _to_some_calls(judged: Judged) -> Remark:
    if judged.bearing is Bearing.RARELY:
        unusual = f"Condition ({judged.texts}): it gives access only to calls that are made so, {SELDOM}"
        return Remark(Code.NARROWER, "", unusual)
    return Remark(Code.NARROWER, "", f"Condition ({judged.labels}): it gives access to some calls only")


def _on_resources(
    statement: Statement, wanted: Sequence[Permission], scope: Scope, remarks: list[Remark]
) -> set[Claim]:
    if statement.not_resources is not None:
        others = _all_but(statement, wanted, scope, remarks)
        if others is not None:
            remarks += _points(statement, wanted, scope, others)
        return others or set()
    if statement.resources is None:
        remarks.append(Remark(Code.NARROWER, "", "it has neither Resource nor NotResource"))
        return set()
    claims: set[Claim] = set()
    for text in statement.resources:
        if text in scope.settled:
            continue
        if statement.variables and scope.facts.lacks(text):
            remarks.append(_without_a_value(text))
            continue
        try:
            pattern = scope.pattern(text, statement)
        except NoPattern as error:
            remarks.append(error.remark)
        else:
            claims |= given(pattern, wanted, scope, remarks)
    remarks += _points(statement, wanted, scope, claims)
    return claims


def given(pattern: Pattern, wanted: Sequence[Permission], scope: Scope, remarks: list[Remark]) -> set[Claim]:
    """The claims of permissions on what one pattern is about. What has no name is added to the remarks."""
    whole = _whole_account(pattern, wanted) if scope.account_wide else None
    if whole is not None:
        return {Claim(ACCOUNT, name) for name in whole}
    on_buckets, on_objects = ([p for p in wanted if p.on_bucket], [p for p in wanted if p.on_object])
    claims: set[Claim] = set()
    matched = False
    maybe: list[Remark] = []
    for place in scope.named_by(pattern):
        if pattern.is_place(place):
            matched = True
            claims |= {Claim(PermissionTarget(place.bucket), p.name) for p in on_buckets}
        elif on_buckets and pattern.may_be_place(place):
            matched, maybe = True, [_named_by_a_variable(pattern)]
        rests = pattern.rests(place)
        if pattern.everything or rests:
            matched = True
            if on_objects:
                targets = _object_targets(pattern, place, on_objects, scope, remarks)
                claims |= {Claim(target, p.name) for target in targets for p in on_objects}
    if not matched:
        remarks.append(_not_found(pattern, scope))
    # With permissions on objects as well, it is said of these already.
    remarks += () if _some_objects(pattern) in remarks else maybe
    return claims


def _whole_account(pattern: Pattern, wanted: Sequence[Permission]) -> list[str] | None:
    """The permissions that a pattern gives on the account; None where it is not about the whole account."""
    if pattern.everything:
        return [p.name for p in wanted]
    if pattern.all_buckets:
        others = pattern.all_of_s3
        return [
            p.name for p in wanted if p.on_bucket or p.on_object or p.name == LIST_BUCKETS or (others and p.on_other)
        ]
    return [p.name for p in wanted if p.on_object] if pattern.plain and pattern.resource == "*/*" else None


def _object_targets(
    pattern: Pattern, place: BucketResource, wanted: Sequence[Permission], scope: Scope, remarks: list[Remark]
) -> set[PermissionTarget]:
    rests = pattern.rests(place)
    if pattern.everything or any(rest.any_but_nothing for rest in rests):
        return {PermissionTarget(place.bucket)}
    targets: set[PermissionTarget] = set()
    seen: list[Remark] = []
    for rest in rests:
        if rest.tokens and not _is_shown(rest, place, wanted, scope):
            below, remark = _below(pattern, place, rest, scope)
            targets |= below
            seen += [] if remark is None else [remark]
    there = _there_is(pattern, place, wanted, scope) if seen else None
    if there is not None and place.bucket in scope.paths.listed:
        remarks.append(_those_that_there_are(pattern))
        return set(there)
    targets |= there or frozenset()
    # A single key that a wildcard can end in is one of those objects.
    some = _some_objects(pattern)
    remarks += [some] if some in seen else seen
    return targets


def _is_shown(rest: Rest, place: BucketResource, wanted: Sequence[Permission], scope: Scope) -> bool:
    """True where whatever ends in the rest of a pattern lies in what is claimed anyway."""
    inside = PermissionTarget(place.bucket, f"{rest.begins}*")  # the folder of this very path is not all that begins so
    return bool(scope.shown) and all(scope.shows(inside, each.name) for each in wanted)


def _there_is(
    pattern: Pattern, place: BucketResource, wanted: Sequence[Permission], scope: Scope
) -> frozenset[PermissionTarget] | None:
    """What lies in a bucket where a pattern says so, for permissions that need an object; None where that is not known.

    It is not where the pattern may be about keys of a bucket that is no data object, too.
    """
    known = scope.paths.matching.get(pattern)
    if known is None or not all(each.needs_object for each in wanted):
        return None
    if any(pattern.may_be_below(each, "") for each in scope.left_out):
        return None
    return known.get(place.bucket, frozenset())


def _below(
    pattern: Pattern, place: BucketResource, rest: Rest, scope: Scope
) -> tuple[set[PermissionTarget], Remark | None]:
    """A folder, a file, or the known folders whose names begin in some way; and what of it has no name."""
    key, path = rest.text, rest.before_anything
    if key is not None:
        target = PermissionTarget(place.bucket, key, file=True)
        return ({target}, None) if target in scope.paths.files else (set(), _no_file(pattern))
    if path is None or path == "/":
        return set(), _some_objects(pattern)
    if not path.endswith("/"):
        folders = {PermissionTarget(place.bucket, each) for each in _beginning(path, place, scope)}
        return folders, _the_folders_of(pattern) if folders else _some_objects(pattern)
    if scope.folder_depth is not None and path.count("/") > scope.folder_depth:
        unknown = "a folder that is no data object (folder depth or flat mode)"
        many = "folders that are no data objects (folder depth or flat mode)"
        return set(), _of_resource(pattern, f"is {unknown}", f"are {many}")
    folder = PermissionTarget(place.bucket, path[:-1])
    return (set(), _has_the_name_of_a_file(pattern)) if scope.paths.takes_the_name_of(folder) else ({folder}, None)


def paths_named(pattern: Pattern, scope: Scope, wanted: WantedPaths, *, of_objects: bool = False) -> None:
    """Add what `given` looks up of a pattern in the known paths of the scope.

    `of_objects`: of objects, the statement is about those alone that there are (`needs_objects`).
    """
    if _whole_account(pattern, ()) is not None:
        return
    if pattern.plain and pattern.bucket and not any(pattern.bucket == each.bucket for each in scope.left_out):
        wanted.others.update(() if scope.named_by(pattern) else (pattern.bucket,))
    for place in scope.named_by(pattern):
        rests = pattern.rests(place)
        for rest in () if any(rest.any_but_nothing for rest in rests) else rests:
            key, path = rest.text, rest.before_anything
            if key or (path and path.endswith("/")):
                wanted.keys[place.bucket].add(key or (path or "")[:-1])
            elif path:
                wanted.beginnings[place.bucket].add(path)
            if of_objects and pattern.plain and not pattern.has_variable and not _is_folder(path, scope):
                wanted.patterns.add(pattern)


def _is_folder(path: str | None, scope: Scope) -> bool:
    """True where what a pattern asks for before a last `*` is a folder that has a name."""
    deep = scope.folder_depth
    return path is not None and len(path) > 1 and path.endswith("/") and (deep is None or path.count("/") <= deep)


def needs_objects(statement: Statement) -> bool:
    """True where all that a statement is about of objects are objects that there are."""
    rights = (permission(name) for name in permissions_of(statement))
    on_objects = [each for each in rights if each is not None and each.on_object]
    return bool(on_objects) and all(each.needs_object for each in on_objects)


def _beginning(path: str, place: BucketResource, scope: Scope) -> Iterable[str]:
    """The known folders that begin with a text, at the level where the text ends."""
    folders = scope.paths.folders.get(place.bucket, ())
    return (each for each in folders if each.startswith(path) and "/" not in each[len(path) :])


def _without_a_value(text: str) -> Remark:
    none = "a variable without a value for whoever has it, and {} nothing"
    one, many = f"resource {{}} has {none.format('gives')}", f"resources {{}} have {none.format('give')}"
    return Remark(Code.ELSEWHERE, text, one, many)


def _of_resource(pattern: Pattern, one: str, many: str, code: Code = Code.NARROWER) -> Remark:
    """A remark on a resource of a statement, which goes on as `one`, and as `many` about several."""
    return Remark(code, pattern.text, f"resource {{}} {one}", f"resources {{}} {many}")


def _some_objects(pattern: Pattern) -> Remark:
    return _of_resource(pattern, "is some objects, not a whole folder", "are some objects, not whole folders")


def _named_by_a_variable(pattern: Pattern) -> Remark:
    return _of_resource(
        pattern,
        "may be a bucket by a variable that is not known beforehand",
        "may be buckets by variables that are not known beforehand",
    )


def _those_that_there_are(pattern: Pattern) -> Remark:
    return _of_resource(
        pattern,
        "is some objects: all of them that there are now are shown",
        "are some objects: all of them that there are now are shown",
        Code.NOTE,
    )


def _no_file(pattern: Pattern) -> Remark:
    return _of_resource(
        pattern,
        "is a single key, not a whole folder, and no file among the data objects",
        "are single keys, not whole folders, and no files among the data objects",
    )


def _has_the_name_of_a_file(pattern: Pattern) -> Remark:
    return _of_resource(
        pattern,
        "is a folder in which nothing lies, and a file has its name",
        "are folders in which nothing lies, and files have their names",
    )


def _the_folders_of(pattern: Pattern) -> Remark:
    return _of_resource(
        pattern,
        "is whatever begins so: the folders among it are shown, files and later folders are not",
        "are whatever begins so: the folders among it are shown, files and later folders are not",
    )


def _points(statement: Statement, wanted: Sequence[Permission], scope: Scope, claims: set[Claim]) -> Iterator[Remark]:
    """The access points that a statement is about without naming them, unless it gives the same on their buckets."""
    on_points = [each for each in wanted if each.access_point and (each.on_bucket or each.on_object)]
    for point in scope.points if on_points else ():
        places = (ACCOUNT, PermissionTarget(point.bucket))
        lacking = [each for each in on_points if not any(Claim(place, each.name) in claims for place in places)]
        if any(_is_about_point(statement, point, each, scope) for each in lacking):
            arn = f"arn:{scope.partition}:s3:{point.region}:{point.account}:{point.resource}"
            through = "it gives access through that alone, where the access point and its bucket permit it"
            yield Remark(
                Code.NARROWER,
                arn,
                f"access point {{}} is among its resources: {through}",
                f"access points {{}} are among its resources: {through}",
            )


def _is_about_point(statement: Statement, point: BucketResource, one: Permission, scope: Scope) -> bool:
    """True where it may be about an access point, and no pattern of it says so by the region and account of one."""
    inverse = statement.not_resources is not None
    for pattern in patterns(statement.not_resources or statement.resources or (), statement, scope):
        if inverse and (pattern.is_place(point) if one.on_bucket else pattern.covers_below(point, "")):
            return False
        if not inverse and pattern.plain and touches(pattern, point, "", one):
            return True
    return inverse


def is_multi_region(pattern: Pattern) -> bool:
    """True for the ARN of a multi-region access point, which is of no region: `arn:aws:s3::ACCOUNT:accesspoint/A.mrap`.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointPermissions.html
    """
    name = (pattern.resource or "").removeprefix("accesspoint/").partition("/")[0]
    return pattern.resource != name and pattern.region == "" and name.endswith(".mrap")


def _not_found(pattern: Pattern, scope: Scope) -> Remark:
    remark = partial(_of_resource, pattern)

    if not scope.account_wide:
        behind = "the access point nor objects behind it"
        return remark(f"is neither {behind}", f"are neither {behind}")
    if not pattern.plain and is_multi_region(pattern):
        beyond = "over buckets that are not read: what it gives is not claimed"
        return remark(f"is a multi-region access point {beyond}", f"are multi-region access points {beyond}")
    if not pattern.plain and (pattern.resource or "").startswith("accesspoint/"):
        through = "it gives access through that alone, where the access point and its bucket permit it"
        return remark(f"is an access point: {through}", f"are access points: {through}")
    if not pattern.plain:
        return remark(
            "is no bucket and no object (an access point, a job or the like)",
            "are no buckets and no objects (access points, jobs or the like)",
        )
    if any(pattern.may_be_place(place) or pattern.may_be_below(place, "") for place in scope.left_out):
        return remark("is of a bucket that raito.yml leaves out", "are of buckets that raito.yml leaves out")
    other = scope.paths.others.get(pattern.bucket or "")
    if other is not None:
        return _of_another_account(pattern, other)
    if pattern.bucket is None and not pattern.has_variable:
        # It is about buckets of others at most, as `*` is, too.
        return remark("matches no bucket of the account", "match no bucket of the account", Code.ELSEWHERE)
    if scope.written_by_aws and not pattern.has_variable:
        of_aws = "bucket that AWS names to all customers, and none of the account"
        return remark(f"is of a {of_aws}", f"are of {of_aws.replace('bucket', 'buckets')}", Code.ELSEWHERE)
    return remark("matches no bucket of the account", "match no bucket of the account")


def _of_another_account(pattern: Pattern, other: OtherBucket) -> Remark:
    """Access to a bucket of another account takes both: the policy of whoever calls, and that of the bucket.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    if other.lets_in is False:
        nobody = f"of a bucket of {other.owner}, which lets in nobody of this account"
        return _of_resource(pattern, f"is {nobody}", f"are {nobody}", Code.ELSEWHERE)
    whose = f"of a bucket of {other.owner}, which "
    whose += "lets in somebody of this account" if other.lets_in else "is not known to let in somebody of this account"
    return _of_resource(pattern, f"is {whose}", f"are {whose}")


# -- NotResource ----------------------------------------------------------------------------------------------------


def _all_but(
    statement: Statement, wanted: Sequence[Permission], scope: Scope, remarks: list[Remark]
) -> set[Claim] | None:
    """What an Allow gives on everything but some patterns: the buckets that none of them may touch.

    None where one of the patterns cannot be read.
    """
    patterns = []
    for text in statement.not_resources or ():
        try:
            pattern = scope.pattern(text, statement)
        except NoPattern as error:
            if not error.readable:
                remarks.append(Remark(Code.NARROWER, "", f"NotResource: {error.remark.text}"))
                return None
        else:
            if pattern.has_variable:
                unknown = f"NotResource: resource {pattern.text} has a variable that is not known beforehand"
                remarks.append(Remark(Code.NARROWER, "", unknown))
                return None
            patterns.append(pattern)
    claims: set[Claim] = set()
    for on_bucket in (True, False):
        some = [one for one in wanted if one.on_bucket is on_bucket and (on_bucket or one.on_object)]
        if some:
            targets = _all_places_but(patterns, some[0], scope, remarks)
            claims |= {Claim(target, one.name) for target in targets for one in some}
    for one in wanted:
        if not scope.account_wide or one.on_bucket or one.on_object:
            continue
        share = account_level_share(patterns, one)
        if not share.may:
            claims.add(Claim(ACCOUNT, one.name))
        elif not share.sure:
            left = "NotResource: what it leaves of {} has no name"
            remarks.append(Remark(Code.NARROWER, one.name, left, left))
    return claims


def _all_places_but(
    patterns: Sequence[Pattern], one: Permission, scope: Scope, remarks: list[Remark]
) -> set[PermissionTarget]:
    """The buckets that no pattern may touch, as to a permission on buckets or on objects; the account if it is all."""
    free = [place for place in scope.places if not _may_touch(patterns, place, one)]
    if (
        scope.account_wide
        and len(free) == len(scope.places)
        and not any(_may_touch(patterns, place, one) for place in scope.left_out)
    ):
        return {ACCOUNT}
    for place in scope.places:
        if _may_touch(patterns, place, one) and not _is_covered(patterns, place, one):
            part = "NotResource: what it leaves of bucket {} has no name"
            remarks.append(Remark(Code.NARROWER, place.bucket, part, part.replace("bucket", "buckets")))
    for place in scope.left_out:
        if not _is_covered(patterns, place, one):
            part = "NotResource: bucket {} is given too, and raito.yml leaves it out"
            many = "NotResource: buckets {} are given too, and raito.yml leaves them out"
            remarks.append(Remark(Code.NARROWER, place.bucket, part, many))
    return {PermissionTarget(place.bucket) for place in free}


def _may_touch(patterns: Sequence[Pattern], place: BucketResource, one: Permission) -> bool:
    if one.on_bucket:
        return any(pattern.may_be_place(place) for pattern in patterns)
    return any(pattern.may_be_below(place, "") for pattern in patterns)


def _is_covered(patterns: Sequence[Pattern], place: BucketResource, one: Permission) -> bool:
    if one.on_bucket:
        return any(pattern.is_place(place) for pattern in patterns)
    return any(pattern.covers_below(place, "") for pattern in patterns)
