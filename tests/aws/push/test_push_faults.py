"""A push of all types, and each of its calls denied, throttled, answered 500 and dropped: once, and always.

The calls are those that a push without fault makes, so that none is forgotten. Whatever goes wrong: each access control
gets its feedback, an error where AWS does not have what was granted, and none where it has; access that was taken away
is gone, unless the very call fails that takes it; and the next push makes up for it, and the one after changes nothing.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, TypeVar

import pytest

from raito_pipeline.aws.push.apply import Applied
from raito_pipeline.aws.push.order import waits_of
from raito_pipeline.aws.push.owners.owner_tags import owner_of, tags_of_request
from raito_pipeline.model import CREATOR
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.push.conftest import KEY
from tests.aws.push.every_type import TYPES, UNITS, EveryType, Facts, Planned, after
from tests.aws_profile import use_profile, write_profile

T = TypeVar("T")
WHOLE = "RAITO_PIPELINE_WHOLE_PUSH_FAULTS"
"""environment variable: every call with every fault, and every moment: half an hour. `1` is all of it, `2/8` the second
of eight parts."""
FAULTS = {
    "denied": Fault(kind="deny"),
    "throttled": Fault(kind="throttle"),
    "500": Fault(kind="error"),
    "dropped": Fault(kind="drop"),
    "lost": Fault(kind="drop", after=True),
}
AT_ONCE = 12
"""calls that fail in the same push, where the matrix is not tried whole"""

KILLED = 4
"""moments of a push at which it is killed, where not all of them are tried"""
CHANGED = {"role": "role_changed", "policy": "policy_changed", "set": "set_changed", "point": "point-changed"}
"""of each type one that was made without tags of ownership, and is changed"""
OWNED_LATER = {f"tags of {kind} {name}" for kind, name in CHANGED.items()} | {
    "tags of role role_emptied", "tags of set set_emptied", "tags of set set_left", "tags of point point-emptied"
}  # fmt: skip
"""what gets its tags of ownership with the next change, where a push could not set them: they give nobody access"""


@dataclass(frozen=True)
class Try:
    """One push: operations with the fault that each meets, and how often."""

    faults: tuple[tuple[str, str], ...]
    always: bool
    skip: int = 0

    def __str__(self) -> str:
        named = "-".join(f"{operation}-{fault}" for operation, fault in self.faults)
        return f"{named}-{'always' if self.always else 'once'}" + (f"-after-{self.skip}" if self.skip else "")

    @property
    def operations(self) -> frozenset[str]:
        return frozenset(operation for operation, _ in self.faults)

    @property
    def must_succeed(self) -> bool:
        """True where the calls are made a second time, and succeed."""
        return not self.always and all(fault != "denied" for _, fault in self.faults)


@dataclass(frozen=True)
class Revocation:
    """Access that the push takes away, of an access control, and the calls without which it cannot."""

    control: str
    still: Any
    """whether it is still there, by the facts"""
    operations: frozenset[str]


def _text(facts: Facts, name: str) -> str:
    return repr(facts.get(name, ""))


def _in(name: str, part: str) -> Any:
    return lambda facts: part in _text(facts, name)


def _there(name: str) -> Any:
    return lambda facts: name in facts


_TAGS, _LIST = "ListTagsForResource", "ListAccountAssignments"
_DETACHED = frozenset({"DetachUserPolicy"})
_PROVISIONED = frozenset({_TAGS, "ProvisionPermissionSet", "DescribePermissionSetProvisioningStatus", _LIST})
_UNASSIGNED = frozenset({_TAGS, "DeleteAccountAssignment", "DescribeAccountAssignmentDeletionStatus", _LIST})
_VERSION = frozenset(
    {"CreatePolicyVersion", "ListPolicyVersions", "DeletePolicyVersion", "GetPolicy", "GetPolicyVersion"}
)
_SET_POLICY = frozenset({_TAGS, "GetInlinePolicyForPermissionSet", "PutInlinePolicyToPermissionSet"})
_SET_EMPTIED = frozenset({_TAGS, "GetInlinePolicyForPermissionSet", "DeleteInlinePolicyFromPermissionSet"})
_PUT_POINT = frozenset({"GetAccessPointPolicy", "PutAccessPointPolicy"})
REVOCATIONS = (
    Revocation("role_changed", lambda f: "user/bob" in repr(f["role role_changed"][0]),
               frozenset({"GetRole", "UpdateAssumeRolePolicy"})),
    Revocation("role_changed", lambda f: "/hr/" in repr(f["role role_changed"][1]),
               frozenset({"GetRole", "GetRolePolicy", "PutRolePolicy"})),
    Revocation("role_emptied", lambda f: "sales" in repr(f["role role_emptied"][1]),
               frozenset({"GetRolePolicy", "DeleteRolePolicy", "PutRolePolicy"})),
    Revocation("role_gone", _in("role role_gone", "user/ada"), frozenset({"GetRole", "UpdateAssumeRolePolicy"})),
    Revocation("policy_changed", lambda f: ("user", "bob") in f["policy policy_changed"][1], _DETACHED),
    Revocation("policy_changed", lambda f: ("group", "team") in f["policy policy_changed"][1],
               frozenset({"DetachGroupPolicy"})),
    Revocation("policy_changed", _in("policy policy_changed", "/hr/"), _VERSION),
    Revocation("policy_changed", _there("reference policy_changed"),
               _PROVISIONED | {"DetachCustomerManagedPolicyReferenceFromPermissionSet"}),
    Revocation("policy_renamed", _in("policy policy_renamed", "bob"), _DETACHED),
    Revocation("policy_gone", lambda f: f.get("policy policy_gone", ("", ()))[1], _DETACHED),
    Revocation("set_changed", _in("set set_changed", "/hr/"), _SET_POLICY | _PROVISIONED),
    Revocation("set_changed", lambda f: len(f["set set_changed"][3]) == 3 or f["set set_changed"][3] == f["was"],
               _UNASSIGNED),
    Revocation("set_emptied", _in("set set_emptied", "sales"), _SET_EMPTIED | _PROVISIONED),
    Revocation("set_gone", lambda f: _assigned(f, "set_gone"), _UNASSIGNED),
    Revocation("point-changed", lambda f: "user/bob" in _text(f, "point point-changed"), _PUT_POINT),
    Revocation("point-changed", _in("point point-changed", "/hr/"), _PUT_POINT),
    Revocation("point-emptied", _in("point point-emptied", "bob"),
               frozenset({"GetAccessPointPolicy", "DeleteAccessPointPolicy"})),
    Revocation("point-gone", _in("point point-gone", "user/ada"),
               frozenset({"GetAccessPoint", "GetAccessPointPolicy", "DeleteAccessPointPolicy"})),
)  # fmt: skip


@dataclass
class Matrix:
    """The account, what a push without fault leaves there, and which calls it makes."""

    account: EveryType
    wanted: Facts
    warnings: set[str]
    calls: Counter[str]
    writes: int

    def run(self, one: Try) -> list[str]:
        """Push under faults, push again, and once more; what is wrong, a line each."""
        account = self.account
        account.rewind()
        for operation, fault in one.faults:
            times = None if one.always else 1
            kind = FAULTS[fault]
            account.aws.faults.add(
                Fault(kind=kind.kind, after=kind.after, operation=operation, skip=one.skip, times=times)
            )
        applied = account.apply(account.planned, account.once if one.always else account.patient)
        account.aws.faults.clear()
        again = account.plan(after(account.planned.controls, applied))
        facts = account.facts(again.state) | {"was": account.facts(account.planned.state)["set set_changed"][3]}
        return [*self._feedback(one, applied, facts), *self._revoked(one, facts), *self.converges(again)]

    def killed(self, moment: int) -> list[str]:
        """Push until so many calls have changed something, then no more; Raito Cloud hears nothing of it.

        What is wrong with the pushes after it, a line each. A process that is gone leaves AWS as one does whose calls
        do not arrive any more.
        """
        account = self.account
        account.rewind()
        account.aws.faults.add(Fault(kind="drop", writing=True, skip=moment))
        account.apply(account.planned, account.once, concurrency=1)
        account.aws.faults.clear()
        return self.converges(account.plan(account.planned.controls))

    def converges(self, again: Planned) -> list[str]:
        """What is wrong with the next push, and with the one after it."""
        account = self.account
        applied = account.apply(again)
        mark = account.aws.calls.mark
        third = account.plan(after(again.controls, applied))
        account.apply(third)
        facts = account.facts(third.state)
        wrong = [f"the next push: {one.access_control_id}: {error}" for one in applied.results for error in one.errors]
        wrong += [f"the next push warns: {warning}" for warning in sorted(_warnings(applied) - self.warnings)]
        wrong += [f"the next push: {line}" for line in applied.differences]
        wrong += [f"orphan {orphan.resource}" for orphan in (*again.plan.orphans, *third.plan.orphans)]
        wrong += [f"after the next push: {name} is {facts.get(name)}, not {self.wanted.get(name)}"
                  for name in sorted(facts.keys() | self.wanted.keys())
                  if facts.get(name) != self.wanted.get(name) and name not in OWNED_LATER]  # fmt: skip
        wrong += [f"the third push: {call.operation}" for call in account.aws.calls.writing(mark)]
        return wrong

    def _feedback(self, one: Try, applied: Applied, facts: Facts) -> Iterator[str]:
        results = {result.access_control_id: result for result in applied.results}
        if results.keys() != {control.id for control in self.account.planned.controls}:
            yield f"feedback of {sorted(results)} only"
        for name, units_of in UNITS.items():
            units = [*units_of, *(f"tags of {unit}" for unit in units_of)]
            done = all(facts.get(unit) == self._wanted_of(unit, facts) for unit in units)
            errors = results[name].errors
            if not done and not errors:
                missing = [unit for unit in units if facts.get(unit) != self._wanted_of(unit, facts)]
                yield f"{name}: no error, and {missing[0]} is {facts.get(missing[0])}"
            if done and errors and not _cannot_be_known(one):
                yield f"{name}: it was done, and the error is {errors[0]}"
            if errors and one.must_succeed:
                yield f"{name}: AWS would have done it the second time: {errors[0]}"
        yield from (f"the push warns: {warning}" for warning in sorted(_warnings(applied) - self.warnings)
                    if "is not granted, so the assignments were listed" not in warning)  # fmt: skip

    def _wanted_of(self, unit: str, facts: Facts) -> Any:
        """What is wanted, less the role of a permission set that nobody got: it comes with the first assignment."""
        wanted = self.wanted.get(unit)
        if not unit.startswith("reference") or wanted is None:
            return wanted
        return [one for one in wanted if not one.startswith("role of ") or _assigned(facts, one[len("role of ") :])]

    def _revoked(self, one: Try, facts: Facts) -> Iterator[str]:
        for revocation in REVOCATIONS:
            if revocation.still(facts) and not revocation.operations & one.operations:
                yield f"{revocation.control}: access that was taken away is still there"


def _assigned(facts: Facts, permission_set: str) -> Any:
    return facts.get(f"set {permission_set}", ("",) * 3 + ((),))[3]


def _warnings(applied: Applied) -> set[str]:
    return {warning for result in applied.results for warning in result.warnings}


def _cannot_be_known(one: Try) -> bool:
    """True where AWS does not say whether it did what it was asked, or does it by the way with something else.

    The first assignment of a permission set in an account brings it there as a provisioning does, and may come later.
    """
    asking = ("Describe", "Get", "List", "ProvisionPermissionSet")
    return any(fault == "lost" or operation.startswith(asking) for operation, fault in one.faults)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    folder: Path = tmp_path_factory.mktemp("every-type")
    with EmulatedAws(journal=folder / "journal") as aws, pytest.MonkeyPatch.context() as patch:
        use_profile(patch, write_profile(folder, aws.endpoint_url, key=KEY))
        account = EveryType(aws, folder / "journal")
        mark = aws.calls.mark
        applied = account.apply(account.planned)
        calls = aws.calls.since(mark)
        assert [error for result in applied.results for error in result.errors] == []
        assert applied.differences == (), applied.differences
        facts = account.facts(account.read(account.planned.controls))
        counted = Counter(call.operation for call in calls)
        yield Matrix(account, facts, _warnings(applied), counted, sum(call.writes for call in calls))


def sample(calls: Counter[str]) -> list[Try]:
    """Each operation with one fault, once and always in turn; several in one push."""
    chance = random.Random(12)
    ordered = sorted(calls)
    columns = (len(ordered) + AT_ONCE - 1) // AT_ONCE
    groups = [ordered[start::columns] for start in range(columns)]
    tries = []
    for number, group in enumerate(groups):
        always = number % 2 == 0
        kinds = sorted(FAULTS.keys() - {"lost"} if always else FAULTS)
        tries.append(Try(tuple((operation, chance.choice(kinds)) for operation in group), always))
    return tries


def every(calls: Counter[str]) -> Iterator[Try]:
    """Each operation with each fault, once, at its first call and at its last one, and always."""
    for operation, count in sorted(calls.items()):
        for fault in FAULTS:
            for skip in sorted({0, count - 1}):
                yield Try(((operation, fault),), always=False, skip=skip)
            if fault != "lost":
                yield Try(((operation, fault),), always=True)


def part_of(whole: Sequence[T], asked: str) -> Sequence[T]:
    """The part of a whole that is asked for: `2/8`, or all of it. The members of a part are spread over the whole."""
    part, _, parts = asked.partition("/")
    return whole[int(part) - 1 :: int(parts)] if parts else whole


def test_the_order_of_a_push_of_all_types_has_no_circle(matrix: Matrix) -> None:
    """With one it would be the order of the types, and nothing would be taken away first."""
    waits = waits_of(TYPES.changes(matrix.account.planned.plan.changes))
    TopologicalSorter({position: each.all for position, each in enumerate(waits)}).prepare()


def test_the_parts_of_the_matrix_are_the_whole(matrix: Matrix) -> None:
    whole = list(every(matrix.calls))

    parts = [part_of(whole, f"{part}/7") for part in range(1, 8)]

    assert {operation for one in whole for operation in one.operations} == set(matrix.calls)
    assert sorted(map(str, whole)) == sorted(str(one) for part in parts for one in part)


def test_a_fault_is_an_error_where_it_has_to_be_and_the_next_push_makes_up_for_it(matrix: Matrix) -> None:
    asked = os.environ.get(WHOLE)
    tries = part_of(list(every(matrix.calls)), asked) if asked else sample(matrix.calls)

    wrong = [f"{one}: {line}" for one in tries for line in matrix.run(one)]

    print(f"{len(matrix.calls)} operations, {len(tries)} pushes, {len(wrong)} lines of what is wrong")
    assert not wrong, "\n".join(wrong[:40])


@pytest.mark.parametrize("kind", CHANGED)
def test_what_was_made_without_saying_for_whom_says_so_once_it_is_written(matrix: Matrix, kind: str) -> None:
    """As the Raito CLI makes it, with `creator` alone."""
    name = CHANGED[kind]
    tags = f"tags of {kind} {name}"
    before = matrix.account.planned.plan.changes
    (row,) = [row for row in before if row.operation == "tag" and row.access_control_id == name]
    assert owner_of(tags_of_request(row.before)) == (None, None)
    assert owner_of(matrix.wanted[tags]) == ("source", name)
    assert CREATOR in matrix.wanted[tags]


def test_a_push_that_was_killed_is_finished_by_the_next(matrix: Matrix) -> None:
    spread = [matrix.writes * part // KILLED for part in range(KILLED)]
    asked = os.environ.get(WHOLE)
    moments = part_of(range(matrix.writes), asked) if asked else spread

    wrong = [f"killed after {moment} calls: {line}" for moment in moments for line in matrix.killed(moment)]

    assert not wrong, "\n".join(wrong[:40])
