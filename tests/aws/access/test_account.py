"""One account, indexed: which documents a principal has, which buckets count, what a role is called."""

from raito_pipeline.aws.access.account import Account
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.config.patterns import NamePattern

from .conftest import LINK, READ, Told, deny, document, policy_arn

RESERVED = "AWSReservedSSO_Analysts_0123456789abcdef"


def test_documents_are_found_by_who_has_them() -> None:
    told = Told().user("ada", "staff").group("staff").role("jobs", boundary=policy_arn("fence"))
    told.policy("readers", READ, "user:ada", "role:jobs").inline("user:ada", "b", READ).inline("user:ada", "a", READ)
    account = Account(told.inputs(), AccessOptions())

    assert [each.name for each in account.inline["user", "ada"]] == ["a", "b"]
    assert account.managed == {("user", "ada"): [policy_arn("readers")], ("role", "jobs"): [policy_arn("readers")]}
    assert account.attached_to == {policy_arn("readers"): [("role", "jobs"), ("user", "ada")]}
    assert account.boundaries == {("role", "jobs"): policy_arn("fence")}
    assert (account.groups_of["ada"], account.members["staff"]) == (("staff",), ["ada"])


def test_a_deny_is_found_wherever_it_stands() -> None:
    text = document(deny("s3:*", "*"))
    told = Told().user("ada").role("jobs").inline("user:ada", "own", text).policy("fence", text, "role:jobs")
    told.policy("readers", READ, "role:jobs")
    denying = Account(told.inputs(), AccessOptions()).denying

    assert {who: len(documents) for who, documents in denying.items() if documents} == {
        ("user", "ada"): 1,
        ("role", "jobs"): 1,
    }


def test_a_policy_that_is_attached_and_not_there_or_not_readable_may_hold_a_deny() -> None:
    told = Told().user("ada").user("bob").inline("user:bob", "own", "{not json").policy("gone", READ, "user:ada")
    told.policies.clear()
    unread = Account(told.inputs(), AccessOptions()).unread

    assert {name for (_, name), reasons in unread.items() if reasons} == {"ada", "bob"}


def test_buckets_that_are_left_out_or_in_another_region_are_no_data_objects() -> None:
    inputs = Told().inputs()
    assert Account(inputs, AccessOptions()).regions == {"data": "eu-west-1", "other": "us-east-1"}
    assert Account(inputs, AccessOptions(regions=("us-east-1",))).regions == {"other": "us-east-1"}


def test_how_deep_data_objects_go() -> None:
    inputs = Told().inputs()
    depths = [
        Account(inputs, options).folder_depth
        for options in (
            AccessOptions(aws_s3_max_folder_depth=3),
            AccessOptions(aws_s3_emulate_folder_structure=False),
            AccessOptions(aws_glue_enabled=True),
        )
    ]
    assert depths == [3, 0, None]


def test_a_reserved_role_is_a_permission_set_where_there_is_an_organization() -> None:
    inputs = Told().role(RESERVED).inputs()
    with_organization = Account(inputs, AccessOptions(organization=LINK))
    assert with_organization.external_id_of_role(RESERVED) == f"ssorole:{RESERVED}"
    assert with_organization.external_id_of_role("jobs") == "role:jobs"
    assert Account(inputs, AccessOptions()).external_id_of_role(RESERVED) == f"role:{RESERVED}"


def test_what_is_worked_out_once_is_kept_by_what_it_is_asked_with() -> None:
    asked: list[str] = []

    def work(account: Account, name: str) -> str:
        asked.append(name)
        return name + account.inputs.account_id

    account = Account(Told().inputs(), AccessOptions(aws_access_role_excludes=(NamePattern("x.*"),)))
    assert [account.once(work, "a"), account.once(work, "a"), account.once(work, "b")][0] == "a111122223333"
    assert asked == ["a", "b"]
    assert (account.excludes_role("xyz"), account.excludes_role("yx")) == (True, False)
