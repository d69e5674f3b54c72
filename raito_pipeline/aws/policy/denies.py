"""What Deny statements leave of claims.

A Deny that surely meets all of a claim takes it away, without a word. Of an account-wide claim the buckets stay that
are left. A Deny that meets a part leaves the claim, and the reason (`wider`) names the part; with `NotResource` what it
leaves is claimed in its place. A Deny that depends on what is not known, or that cannot be read, is a reason as well,
unless another one holds wherever it does not. A Deny of ordinary calls takes away, too, and what it leaves to other
calls is a reason (`narrower`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.allows import given
from raito_pipeline.aws.policy.claims import Basis, Claim, Claims, Labelled, Scope, add_claim
from raito_pipeline.aws.policy.conditions import Bearing, Judged, asks_who_calls, judge
from raito_pipeline.aws.policy.documents import Statement
from raito_pipeline.aws.policy.one_holds import one_always_holds
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
    Share,
    account_level_share,
)


def after_denies(claims: Claims, documents: Iterable[Labelled], scope: Scope) -> tuple[Claims, list[Reason]]:
    """What the Deny statements of documents leave of claims, and what they may refuse beyond that."""
    labelled = [
        (f"{label}, {statement.label}", statement)
        for label, document in documents
        for statement in document.statements
        if statement.effect == "Deny"
    ]
    left, remarks = _after([statement for _, statement in labelled], claims, scope)
    return left, [
        reason.at(place)
        for (place, _), of_one in zip(labelled, remarks, strict=True)
        if of_one
        for reason in told(of_one)
    ]


def after_deny(claims: Claims, statement: Statement, scope: Scope) -> tuple[Claims, list[Reason]]:
    """What one Deny leaves of claims, and what it may refuse beyond that."""
    left, remarks = _after([statement], claims, scope)
    return left, told(remarks[0])


_Remarks = list[list[Remark]]
"""what is remarked on each of the statements"""


def _after(statements: Sequence[Statement], claims: Claims, scope: Scope) -> tuple[Claims, _Remarks]:
    remarks: _Remarks = [[] for _ in statements]
    if not statements or not claims:
        return claims, remarks
    subtraction = _Subtraction(scope, _denials(statements, scope), remarks)
    left: dict[Claim, Basis] = {}
    for claim, basis in claims.items():
        for target in subtraction.left(claim):
            rest = claim if target == claim.target else Claim(target, claim.permission)
            add_claim(left, rest, basis)
    return left, remarks


@dataclass(frozen=True)
class _Denial:
    """A Deny, taken apart."""

    names: frozenset[str]
    judged: Judged
    patterns: tuple[Pattern, ...]
    unreadable: tuple[str, ...]
    """resources of which nobody knows what they are about"""
    inverse: bool
    """whether it is about everything but the patterns"""
    of_account: dict[tuple[bool, bool], Share] = field(default_factory=dict)
    """how it meets permissions of the account itself, by what these are checked on"""

    @cached_property
    def by_name(self) -> Mapping[str, Sequence[Pattern]]:
        """Those patterns that are about one bucket, by `Pattern.bucket`."""
        named: dict[str, list[Pattern]] = defaultdict(list)
        for pattern in self.patterns:
            if pattern.bucket is not None:
                named[pattern.bucket].append(pattern)
        return named

    @cached_property
    def general(self) -> Sequence[Pattern]:
        """Those patterns that may be about any bucket."""
        return [pattern for pattern in self.patterns if pattern.bucket is None]

    @property
    def is_anywhere(self) -> bool:
        """True where it may meet more than the buckets that its patterns name."""
        return self.inverse or bool(self.general) or bool(self.unreadable)

    def near(self, place: BucketResource) -> Sequence[Pattern]:
        """The patterns that may be about a place."""
        return [*self.by_name.get(_name(place), ()), *self.general]

    def share(self, right: Permission, place: BucketResource, target: PermissionTarget, *, is_file: bool) -> Share:
        """How it meets what a permission on a target is checked on."""
        near, path = self.near(place), target.path
        if right.on_bucket:
            sure = any(pattern.is_place(place) for pattern in near) and not path
            may = any(pattern.may_be_place(place) for pattern in near) and not path
        elif is_file:
            sure = any(pattern.is_key(place, path) for pattern in near)
            may = any(pattern.may_be_key(place, path) for pattern in near)
        else:
            sure = any(pattern.covers_below(place, path) for pattern in near)
            may = any(pattern.may_be_below(place, path) for pattern in near)
        return self._denied(Share(sure, may))

    def share_of_account(self, right: Permission) -> Share:
        """How it meets what a permission of the account itself is checked on."""
        kind = (right.on_other, right.name == LIST_BUCKETS)
        if kind not in self.of_account:
            self.of_account[kind] = self._denied(account_level_share(self.patterns, right))
        return self.of_account[kind]

    def _denied(self, met: Share) -> Share:
        """What it denies of something, by how its patterns meet that."""
        if self.inverse:
            # What is surely among the resources that it spares is spared, whatever the others are.
            return Share(sure=not met.may and not self.unreadable, may=not met.sure)
        return Share(met.sure, met.may or bool(self.unreadable))


def _denials(statements: Iterable[Statement], scope: Scope) -> list[_Denial]:
    """The statements, taken apart: once for all callers where it does not matter who calls.

    Statements are compared by identity, and kept beside what they come to.
    """
    denials = []
    nobody = replace(scope.facts, principal=None)
    for statement in statements:
        key = (id(statement), nobody)
        if key not in scope.prepared:
            personal = asks_who_calls(statement)
            scope.prepared[key] = (statement, None if personal else _denial(statement, scope))
        _, known = scope.prepared[key]
        denials.append(known or _denial(statement, scope))
    return denials


def _denial(statement: Statement, scope: Scope) -> _Denial:
    inverse = statement.not_resources is not None
    patterns, unreadable = [], []
    for text in statement.not_resources if statement.not_resources is not None else statement.resources or ("*",):
        try:
            pattern = scope.pattern(text, statement)
        except NoPattern as error:
            if not error.readable:
                unreadable.append(text)
        else:
            # What AWS makes of everything but a variable without a value is not documented.
            (unreadable.append(text) if inverse and pattern.has_variable else patterns.append(pattern))
    judged = judge(statement, scope.facts)
    never = judged.bearing is Bearing.NEVER
    names: frozenset[str] = frozenset() if never else permissions_of(statement)
    return _Denial(names, judged, tuple(patterns), tuple(unreadable), inverse)


def _name(place: BucketResource) -> str:
    return place.resource.partition("/")[0]


_Met = tuple[int, ...]
"""positions of the denials that are about a permission and may be about a place"""
_Left = tuple[tuple[PermissionTarget, ...], tuple[tuple[int, Remark], ...]]
"""what is left of a target, and what is remarked by which denial"""


@dataclass
class _Subtraction:
    """The denials of one principal, and what they leave. Permissions that are checked alike are looked at once."""

    scope: Scope
    denials: Sequence[_Denial]
    remarks: _Remarks
    by_place: dict[tuple[PermissionTarget, bool, _Met], _Left] = field(default_factory=dict)
    by_kind: dict[tuple[bool, _Met], _Left] = field(default_factory=dict)

    def left(self, claim: Claim) -> Iterable[PermissionTarget]:
        """What is left of the target of a claim; remarks are noted."""
        right = permission(claim.permission)
        if right is None:
            return (claim.target,)
        if claim.target != ACCOUNT:
            met = tuple(n for n in self.near(claim.target.bucket) if claim.permission in self.denials[n].names)
            targets, remarks = self._of_place(claim.target, right, met) if met else ((claim.target,), ())
        else:
            met = tuple(n for n, denial in enumerate(self.denials) if claim.permission in denial.names)
            if not met:
                return (claim.target,)
            if right.on_bucket or right.on_object:
                targets, remarks = self._of_account(right, met)
            else:
                targets, remarks = self._of_account_level(right, met)
        for position, remark in remarks:
            self.remarks[position].append(remark)
        return targets

    def near(self, bucket: str) -> Sequence[int]:
        """The denials that may be about a bucket."""
        return self._near.get(bucket, self._anywhere)

    @cached_property
    def _anywhere(self) -> Sequence[int]:
        return [n for n, denial in enumerate(self.denials) if denial.is_anywhere]

    @cached_property
    def _near(self) -> Mapping[str, Sequence[int]]:
        """By bucket, for those that a denial names."""
        positions_by_bucket: dict[str, set[int]] = defaultdict(lambda: set(self._anywhere))
        named = self.scope.all_by_name
        for n, denial in enumerate(self.denials):
            for name in denial.by_name:
                for place in named.get(name, ()):
                    positions_by_bucket[place.bucket].add(n)
        return {bucket: sorted(positions) for bucket, positions in positions_by_bucket.items()}

    # -- one bucket, folder or file --------------------------------------------------------------------------------

    def _of_place(self, target: PermissionTarget, right: Permission, met: _Met) -> _Left:
        key = (target, right.on_bucket, met)
        if key not in self.by_place:
            place = self.scope.by_bucket[target.bucket]
            self.by_place[key] = self._work_out(target, right, self._shrinking_first(met), place)
        return self.by_place[key]

    def _shrinking_first(self, met: _Met) -> _Met:
        """The same, first what leaves named parts alone: of each part the others are asked, which may deny it all."""
        return tuple(sorted(met, key=self._leaves_all))

    def _leaves_all(self, n: int) -> bool:
        denial = self.denials[n]
        return not (denial.inverse and denial.judged.bearing.holds)

    def _work_out(
        self,
        target: PermissionTarget,
        right: Permission,
        met: _Met,
        place: BucketResource,
        doubtful: Sequence[int] = (),
    ) -> _Left:
        """What the denials `met` leave; `doubtful` are those before them that deny all of it under conditions."""
        is_file = target in self.scope.paths.files
        remarks: list[tuple[int, Remark]] = []
        doubtful = list(doubtful)
        for order, n in enumerate(met):
            denial = self.denials[n]
            share = denial.share(right, place, target, is_file=is_file)
            if not share.may:
                continue
            if not denial.judged.bearing.holds:
                remarks.append((n, _conditional(denial.judged)))
                doubtful += [n] if share.sure else []
            elif share.sure:
                return (), self._of_other_calls([n])
            elif denial.inverse:
                rest = self._rest(denial, target, right, place, n)
                later = [self._work_out(each, right, met[order + 1 :], place, doubtful) for each in rest[0]]
                more = (remark for _, of_one in later for remark in of_one)
                of_others = self._of_other_calls([n])
                return tuple(each for kept, _ in later for each in kept), (*remarks, *rest[1], *of_others, *more)
            else:
                remarks += [(n, remark) for remark in _partial(denial, right, place, target, is_file=is_file)]
        return self._unless_refused((target,), doubtful, remarks)

    def _unless_refused(
        self, targets: tuple[PermissionTarget, ...], doubtful: Sequence[int], remarks: Iterable[tuple[int, Remark]]
    ) -> _Left:
        """What is left by denials of all of it under conditions: nothing where one of them holds in every call."""
        undecided = [n for n in doubtful if self.denials[n].judged.bearing is Bearing.UNDECIDED]
        if one_always_holds([self.denials[n].judged.conditions for n in undecided]):
            return (), self._of_other_calls(undecided)
        return targets, tuple(remarks)

    def _of_other_calls(self, denials: Iterable[int]) -> tuple[tuple[int, Remark], ...]:
        """What is remarked on denials that take away, where they leave something to calls that are not ordinary."""
        return tuple((n, _left_to_others(each)) for n in denials if (each := self.denials[n].judged).usual)

    def _rest(
        self, denial: _Denial, target: PermissionTarget, right: Permission, place: BucketResource, position: int
    ) -> _Left:
        """What is left of a target by a Deny of everything but what `NotResource` names."""
        remarks: list[Remark] = []
        claims = [claim for pattern in denial.near(place) for claim in given(pattern, [right], self.scope, remarks)]
        inside = {one.target for one in claims if one.target.bucket == target.bucket and target.holds(one.target)}
        if not any(remark.code.is_incomplete for remark in remarks) and not denial.unreadable:
            return tuple(sorted(inside)), ()
        name = f"{target.bucket}/{target.path}" if target.path else target.bucket
        lost = Remark(
            Code.NARROWER,
            name,
            "Deny with NotResource: not all that it leaves of {} is claimed",
            "Deny with NotResource: not all that it leaves of {} is claimed",
        )
        return tuple(sorted(inside)), ((position, lost),)

    # -- the account -----------------------------------------------------------------------------------------------

    def _of_account(self, right: Permission, met: _Met) -> _Left:
        key = (right.on_bucket, met)
        if key not in self.by_kind:
            self.by_kind[key] = self._work_out_account(right, met)
        return self.by_kind[key]

    def _work_out_account(self, right: Permission, met: _Met) -> _Left:
        for n in met:
            denial = self.denials[n]
            whole = not denial.inverse and any(pattern.all_buckets for pattern in denial.patterns)
            if whole and denial.judged.bearing.holds:
                return (), self._of_other_calls([n])
        chosen = frozenset(met)
        everywhere = any(self.denials[n].is_anywhere for n in met)
        targets: list[PermissionTarget] = []
        remarks: list[tuple[int, Remark]] = []
        changed = False
        for place in self.scope.places:
            target = PermissionTarget(place.bucket)
            if not everywhere and place.bucket not in self._near:
                targets.append(target)
                continue
            kept, why = self._of_place(target, right, tuple(n for n in self.near(place.bucket) if n in chosen))
            changed = changed or kept != (target,)
            targets += kept
            remarks += why
        given_too, parts = self._left_out(right, chosen)
        if not changed and len(given_too) == len(self.scope.left_out):
            return (ACCOUNT,), (*remarks, *parts)
        return tuple(targets), (*remarks, *((met[0], _given_too(place)) for place in given_too))

    def _left_out(
        self, right: Permission, chosen: frozenset[int]
    ) -> tuple[list[BucketResource], list[tuple[int, Remark]]]:
        """The buckets that are no data objects and are not denied, and what is remarked on parts of them."""
        keeping: list[BucketResource] = []
        remarks: list[tuple[int, Remark]] = []
        for place in self.scope.left_out:
            target = PermissionTarget(place.bucket)
            met = tuple(n for n in self.near(place.bucket) if n in chosen)
            kept, why = self._work_out(target, right, self._shrinking_first(met), place)
            if kept:
                keeping.append(place)
                remarks += why
        return keeping, remarks

    def _of_account_level(self, right: Permission, met: _Met) -> _Left:
        remarks: list[tuple[int, Remark]] = []
        doubtful: list[int] = []
        for n in met:
            denial = self.denials[n]
            share = denial.share_of_account(right)
            if share.may and not denial.judged.bearing.holds:
                remarks.append((n, _conditional(denial.judged)))
                doubtful += [n] if share.sure else []
            elif share.sure:
                return (), self._of_other_calls([n])
            elif share.may:
                remarks += [(n, remark) for remark in _of_patterns(denial.patterns, denial)]
        return self._unless_refused((ACCOUNT,), doubtful, remarks)


# -- remarks --------------------------------------------------------------------------------------------------------


def _conditional(judged: Judged) -> Remark:
    if judged.bearing is Bearing.RARELY:
        return Remark(Code.NOTE, "", f"Deny of calls with {judged.texts}: calls have to be made otherwise")
    return Remark(Code.WIDER, "", f"Deny under a condition ({judged.labels}): some of the access may be refused")


def _left_to_others(judged: Judged) -> Remark:
    usual = replace(judged, conditions=judged.usual).texts
    other = f"Deny of calls with {usual}, as they usually are: what it leaves to other calls is not shown"
    return Remark(Code.NARROWER, "", other)


def _partial(
    denial: _Denial, right: Permission, place: BucketResource, target: PermissionTarget, *, is_file: bool
) -> Iterator[Remark]:
    """The parts of a target that a Deny is about."""

    def meets(pattern: Pattern) -> bool:
        if right.on_bucket:
            return pattern.may_be_place(place)
        return pattern.may_be_key(place, target.path) if is_file else pattern.may_be_below(place, target.path)

    return _of_patterns([pattern for pattern in denial.near(place) if meets(pattern)], denial)


def _of_patterns(patterns: Iterable[Pattern], denial: _Denial) -> Iterator[Remark]:
    for pattern in patterns:
        refused = "Deny on {}: that part of what is shown is refused"
        yield Remark(Code.WIDER, pattern.text, refused, refused)
    for text in denial.unreadable:
        refused = "Deny on {}, which cannot be read: some of what is shown may be refused"
        yield Remark(Code.WIDER, text, refused, refused)


def _given_too(place: BucketResource) -> Remark:
    return Remark(
        Code.NARROWER,
        place.bucket,
        "Deny: bucket {} is given too, and raito.yml leaves it out",
        "Deny: buckets {} are given too, and raito.yml leaves them out",
    )
