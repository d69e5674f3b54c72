"""The order of changes: what it follows from, and what waits for what."""

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.changes import NOTHING, Change
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.order import in_order, waits_of
from raito_pipeline.model import PushChange
from tests.aws.push.conftest import arn, document, text

Told = tuple[str, str, str, str]
"""access control, operation, kind, resource; attachments as PRINCIPAL>POLICY"""


def changes(*told: Told) -> list[Change]:
    rows = []
    for position, (control, operation, kind, resource) in enumerate(told):
        before = after = None
        if kind == "attachment":
            resource, _, policy = resource.partition(">")
            before, after = (arn(policy), None) if operation == "detach" else (None, arn(policy))
        elif operation == "narrow":
            operation = "create" if kind == "policy-version" else "update"
            before, after = text(document("s3:A", "s3:B")), text(document("s3:A"))
        rows.append(PushChange(position, control, control, operation, kind, resource, before, after, ""))
    return ACCESS_PROVIDER_TYPES.push.changes(rows)


ROLE = ("r", "create", "role", "R")
INLINE = ("r", "create", "role-inline-policy", "R/Raito_Inline_R")
POLICY = ("p", "create", "policy", "P")
ATTACH_ROLE = ("p", "attach", "attachment", "role:R>P")
ATTACH_ADA = ("p", "attach", "attachment", "user:ada>P")
DETACH_BOB = ("p", "detach", "attachment", "user:bob>P")
DETACH_ROLE = ("p", "detach", "attachment", "role:R>P")
DELETE_ROLE = ("r", "delete", "role", "R")
NEW = (("p", "create", "policy", "new"), ("p", "attach", "attachment", "user:ada>new"))
OLD = (("p", "detach", "attachment", "user:ada>old"), ("p", "delete", "policy", arn("old")))
TAKEN_OVER = ("r", "delete", "role-inline-policy", "R/before")
OTHERS = [("o", "create", "role", "O"), ("q", "create", "policy", "Q"), ("q", "attach", "attachment", "user:ada>Q")]


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        ([POLICY, ATTACH_ROLE, ROLE, INLINE], [POLICY, ROLE, ATTACH_ROLE, INLINE]),
        ([ROLE, INLINE, POLICY, ATTACH_ROLE], [ROLE, INLINE, POLICY, ATTACH_ROLE]),
        ([DELETE_ROLE, ATTACH_ADA, DETACH_ROLE], [DETACH_ROLE, DELETE_ROLE, ATTACH_ADA]),
        ([*OLD, *NEW], [OLD[0], *NEW, OLD[1]]),
        ([TAKEN_OVER, INLINE], [INLINE, TAKEN_OVER]),
        ([*OTHERS, DETACH_BOB], [DETACH_BOB, *OTHERS]),
        ([], []),
    ],
)
def test_the_order_follows_from_needs_and_else_stays(given: list[Told], ordered: list[Told]) -> None:
    listed = changes(*given)
    places = [given.index(told) for told in ordered]
    assert in_order(listed) == [listed[place] for place in places]
    assert in_order(in_order(listed)) == in_order(listed)


@pytest.mark.parametrize(
    "revocation",
    [
        DETACH_BOB,
        DELETE_ROLE,
        ("p", "narrow", "policy-version", arn("P")),
        ("r", "narrow", "role-trust", "X"),
        ("r", "delete", "role-inline-policy", "X/old"),
        ("p", "delete", "policy", arn("X")),
    ],
)
def test_a_revocation_waits_for_no_unrelated_grant(revocation: Told) -> None:
    listed = changes(*OTHERS, revocation)
    assert listed[-1].revokes
    assert waits_of(listed)[-1].all == set()


def test_a_revocation_waits_for_no_grant_of_its_own_access_control() -> None:
    listed = changes(("p", "create", "policy-version", arn("P")), ATTACH_ADA, DETACH_BOB, DETACH_ROLE)
    _, attach, first, second = waits_of(listed)
    assert attach.needed == {0}
    assert first.all == second.all == set()


def test_what_replaces_something_is_there_before_that_goes() -> None:
    waits = waits_of(changes(*NEW, *OLD))
    assert [each.needed for each in waits] == [set(), {0}, set(), {0, 1}]
    assert waits[3].after == {2}
    taken_over = waits_of(changes(INLINE, TAKEN_OVER))[1]
    assert (taken_over.needed, taken_over.after) == (set(), {0})


def test_nobody_gets_what_was_there_before_it_was_narrowed() -> None:
    version, attach = waits_of(changes(("p", "create", "policy-version", arn("P")), ATTACH_ADA))
    assert (version.all, attach.needed) == (set(), {0})
    inline, trust = waits_of(changes(("r", "narrow", "role-inline-policy", "R/x"), ("r", "update", "role-trust", "R")))
    assert (inline.all, trust.needed) == (set(), {0})


def test_what_another_access_control_makes_is_needed_and_what_uses_it_only_comes_first() -> None:
    assert waits_of(changes(ROLE, POLICY, ATTACH_ROLE))[2].needed == {0, 1}
    removal = waits_of(changes(DETACH_ROLE, DELETE_ROLE))[1]
    assert (removal.needed, removal.after) == (set(), {0})


class Mutual(Change):
    """Needs what another one makes that needs what it makes."""

    KIND, OPERATION, EFFECT = "mutual", "update", Effect.GIVES
    removes = NOTHING

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.row.before or ""})

    @property
    def makes(self) -> frozenset[str]:
        return frozenset({self.row.after or ""})

    def apply(self, aws: object) -> None:
        """Nothing."""

    def current(self, aws: object) -> None:
        """Nothing."""


def test_a_circle_keeps_the_order_given() -> None:
    ends = (("x", "y"), ("y", "x"))
    listed = [
        Mutual(PushChange(position, "a", "a", "update", "mutual", "", before, after, ""))
        for position, (before, after) in enumerate(ends)
    ]
    assert in_order(listed) == listed


WHO = '{"PrincipalType":"USER","PrincipalId":"x"%s}'
SET_ROWS = (
    ("update", "permission-set-policy", "S", text(document("s3:A")), text(document("s3:B"))),
    ("provision", "permission-set-in-account", "S", None, "arn:aws:sso:::permissionSet/ssoins-1/ps-1"),
    ("create", "assignment", "S/user:new", None, WHO % ""),
)


@pytest.mark.parametrize(
    ("loses", "place"),
    [(("delete", "assignment", "S/user:old", WHO % "", None), 3),
     (("delete", "assignment", "S/user:old", WHO % ',"OthersKeepIt":true', None), 0)],
)  # fmt: skip
def test_what_a_permission_set_loses_and_gets_has_no_circle_and_other_revocations_come_first(
    loses: tuple[str, str, str, str, str | None], place: int
) -> None:
    """With a circle the order of the whole push would be the one given."""
    rows = [PushChange(number, "s", "s", *each, "") for number, each in enumerate((*SET_ROWS, loses))]
    listed = [*ACCESS_PROVIDER_TYPES.push.changes(rows), *changes(DETACH_BOB)]
    ordered = in_order(listed)
    kinds = ["permission-set-policy", "permission-set-in-account", "assignment"]
    of_the_set = [change for change in ordered if change.row.access_control_id == "s"]
    assert of_the_set.index(listed[3]) == place
    assert [change.KIND for change in of_the_set if change is not listed[3]] == kinds
    assert ordered.index(listed[4]) <= 1


class AwaitingRole(Change):
    """Comes after the role R and who gets something through it, whatever comes of them."""

    KIND, OPERATION, EFFECT = "waiting", "update", Effect.GIVES
    needs = makes = removes = NOTHING
    awaits = frozenset({"role:R"})

    def apply(self, aws: object) -> None:
        """Nothing."""

    def current(self, aws: object) -> None:
        """Nothing."""


def test_what_is_awaited_comes_first_and_is_not_needed() -> None:
    listed = [AwaitingRole(PushChange(0, "w", "w", "update", "waiting", "x", None, None, ""))]
    listed += changes(DETACH_ROLE, ATTACH_ROLE, ROLE)
    waits = waits_of(listed)
    assert (waits[0].needed, waits[0].after) == (set(), {2, 3})
    assert [change.row.kind for change in in_order(listed)] == ["role", "attachment", "attachment", "waiting"]
