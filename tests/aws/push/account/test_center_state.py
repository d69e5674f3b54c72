"""What a plan knows of Identity Center, and when it has to ask."""

import pytest

from raito_pipeline.aws.push.account.center_state import CenterQuestions, CenterState, center_questions
from raito_pipeline.model import AccessControl, Assignee, PushPrincipal, WhoEntry
from tests.aws.push.center_push import granted

LOST = WhoEntry((), (), ("ssorole:Set",), ())


@pytest.mark.parametrize(
    ("control", "asked"),
    [
        (granted("a"), True),
        (granted("a", type=None), True),
        (granted("a", type=None, external_id="ssorole:Set"), True),
        (granted("a", type=None, external_id="policy:other"), False),
        (granted("a", type="aws_role"), False),
        (granted("a", type="aws_policy"), False),
        (granted("a", "ssorole:Set", type="aws_policy"), True),
        (granted("a", type="aws_policy", deleted_who=LOST), True),
        (granted("a", type="aws_policy", external_id="policy:kept", delete=True), True),
        (granted("a", type="aws_policy", external_id="policy:other", delete=True), False),
        (granted("a", type="aws_policy", external_id="ssorole:Set"), True),
    ],
)
def test_identity_center_is_asked_only_about_permission_sets(control: AccessControl, asked: bool) -> None:
    assert (center_questions([control], None, ["kept"]) is not None) is asked


def test_what_is_asked_are_the_people_and_the_imported_permission_sets() -> None:
    controls = [granted("a", "p1", "group:t1", external_id="ssorole:AWSReservedSSO_My_Set_0123456789abcdef")]
    assert center_questions(controls, "dummy") == CenterQuestions(
        frozenset({"My_Set"}), frozenset({"p1", "t1", "dummy"})
    )


def test_several_of_one_name_are_all_known() -> None:
    state = CenterState.of((), [PushPrincipal("GROUP", "g2", "t"), PushPrincipal("GROUP", "g1", "t")])
    assert state.principals["GROUP", "t"] == ("g1", "g2")
    assert (state.label(Assignee("GROUP", "g1")), state.label(Assignee("USER", "gone"))) == ("group:t", "user:gone")
