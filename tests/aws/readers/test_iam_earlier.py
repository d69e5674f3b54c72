"""What the previous sync knew of an element of IAM. A name that was given anew is another element: nothing of it."""

from dataclasses import replace

from raito_pipeline.aws.readers.iam_earlier import EarlierIam
from raito_pipeline.model import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser, Tag
from tests.model.test_schema import example_row

USER = replace(example_row(IamUser, null=True), user_id="U1", user_name="ann", group_names=("staff",))
GROUP = replace(example_row(IamGroup, null=True), group_id="G1", group_name="staff")
ROLE = replace(example_row(IamRole, null=True), role_id="R1", role_name="jobs")
POLICY = replace(
    example_row(IamPolicy, null=True),
    policy_id="P1",
    arn="arn:p",
    default_version_id="v1",
    document="{}",
    tags=(Tag("a", "1"),),
)
INLINE = IamAttachment("role", "jobs", "inline", "own", None, "{}")
MANAGED = IamAttachment("role", "jobs", "managed", "p", "arn:p", None)
BEFORE = EarlierIam([USER], [GROUP], [ROLE], [POLICY], [INLINE, MANAGED])


def test_rows_are_known_by_their_unique_ids() -> None:
    assert (BEFORE.user("U1"), BEFORE.role("R1"), BEFORE.policy("P1")) == (USER, ROLE, POLICY)
    assert (BEFORE.user("U2"), BEFORE.role("ann"), BEFORE.policy("arn:p")) == (None, None, None)


def test_a_document_and_tags_are_those_of_one_version() -> None:
    assert (BEFORE.version("P1", "v1"), BEFORE.tags("P1", "v1")) == (POLICY, (Tag("a", "1"),))
    assert (BEFORE.version("P1", "v2"), BEFORE.tags("P1", "v2")) == (None, None)


def test_the_document_of_another_version_is_not_that_of_the_one_in_force() -> None:
    older = replace(POLICY, default_version_id="v3", document_as_of="2026-01-01", document_version_id="v1")
    assert EarlierIam(policies=[older]).version("P1", "v3") is None
    assert EarlierIam(policies=[older]).version("P1", "v1") is None


def test_what_hangs_on_a_principal_is_that_of_the_same_principal() -> None:
    assert BEFORE.inline("role", "jobs", "R1") == [INLINE]
    assert BEFORE.managed("role", "jobs", "R1") == [MANAGED]
    assert BEFORE.members("staff", "G1") == ["ann"]
    # deleted and made anew under the same name
    assert BEFORE.inline("role", "jobs", "R2") is None
    assert BEFORE.managed("role", "jobs", "R2") is None
    assert BEFORE.members("staff", "G2") is None
    # known, and nothing hangs on it
    assert BEFORE.inline("user", "ann", "U1") == []


def test_who_has_a_policy_is_known_where_the_policy_was() -> None:
    assert BEFORE.attached("arn:p", "P1") == [MANAGED]
    assert BEFORE.attached("arn:p", "P2") is None
    assert EarlierIam(policies=[POLICY]).attached("arn:p", "P1") == []
