"""Access that is not exactly AWS's is counted by code and element."""

from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.model import AccessProvider
from raito_pipeline.orchestration.access.incomplete import incomplete_metadata


def provider(name: str, kind: str, *reasons: str | Reason) -> AccessProvider:
    return access_provider(
        external_id=name,
        name=name,
        type=kind,
        policy="",
        who=WhoNames((), ()),
        reasons=[each if isinstance(each, Reason) else Reason(Code.WIDER, each) for each in reasons],
    ).row


def test_what_is_incomplete_is_counted_by_code_and_element() -> None:
    rows = [
        provider("a", "aws_role", "policy p, statement 1: Deny under a condition (Bool x): some of it may be refused"),
        provider("b", "aws_role"),
        provider(
            "c",
            "aws_policy",
            "policy q, statement 2 (Named): Deny under a condition (Bool x): some of it may be refused",
            "policy q, statement 3: Deny under a condition (Bool x): some of it may be refused",
            Reason(Code.NARROWER, "policy q, statement 4: NotResource: what is left of the account has no name"),
            Reason(Code.ELSEWHERE, "policy q, statement 5: action ec2:* is of a service whose access is not shown"),
        ),
        provider(
            "d", "aws_policy", Reason(Code.ELSEWHERE, "p: action iam:* is of a service whose access is not shown")
        ),
    ]

    shown = incomplete_metadata(rows)

    assert shown["by type"].value == {"aws_policy": 2, "aws_role": 2}
    assert shown["incomplete"].value == 2
    assert shown["incomplete by code"].value == {"narrower": 1, "wider": 2, "who": 0, "elsewhere": 2}
    records = [record.data for record in shown["reasons"].records]
    assert [(each["code"], each["element"], each["access providers"]) for each in records] == [
        ("narrower", "NotResource", 1),
        ("wider", "Deny under a condition (Bool x)", 2),
        ("elsewhere", "action: of another service", 1),
        ("elsewhere", "p: action iam:* is of a service whose access is not shown", 1),
    ]
    assert str(records[1]["example"]).startswith("policy p, statement 1: Deny under a condition")
