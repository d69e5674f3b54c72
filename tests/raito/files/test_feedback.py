"""The feedback of a push: each element as recorded from a real client."""

from pathlib import Path

from raito_pipeline.model import (
    AccessControl,
    PushResult,
    WhoEntry,
)
from raito_pipeline.raito.files.feedback import write_feedback

from .reading import read


def control(identifier: str, position: int) -> AccessControl:
    nobody = WhoEntry((), (), (), ())
    return AccessControl(
        position=position,
        id=identifier,
        name=identifier,
        description="",
        naming_hint="",
        type="aws_role",
        external_id=None,
        action="grant",
        delete=False,
        actual_name=None,
        who=nobody,
        deleted_who=None,
        what=(),
        delete_what=(),
        who_locked=False,
        inheritance_locked=False,
        what_locked=False,
        delete_locked=False,
        owners=(),
    )


def test_feedback_as_recorded(tmp_path: Path) -> None:
    controls = [control("ap-del-1", 2), control("ap-role-1", 0), control("ap-lost", 1)]
    results = [
        PushResult("ap-del-1", "gone", "aws_role", "", None, 1, 0, (), ()),
        PushResult("ap-role-1", "n", "aws_role", "Sales_readers", "role:Sales_readers", 3, 0, (), ("tag differs",)),
    ]
    assert read(write_feedback(tmp_path / "feedback.json", controls, results)) == [
        {
            "externalId": "ap-role-1",
            "access": [
                {
                    "accessId": "ap-role-1",
                    "actualName": "Sales_readers",
                    "externalId": "role:Sales_readers",
                    "type": "aws_role",
                    "errors": None,
                    "warnings": ["tag differs"],
                }
            ],
        },
        {
            "externalId": "ap-lost",
            "access": [
                {
                    "accessId": "ap-lost",
                    "actualName": "",
                    "externalId": None,
                    "type": "aws_role",
                    "errors": ["The push ended before this access control; nothing was changed for it."],
                    "warnings": None,
                }
            ],
        },
        {
            "externalId": "ap-del-1",
            "access": [
                {
                    "accessId": "ap-del-1",
                    "actualName": "",
                    "externalId": None,
                    "type": "aws_role",
                    "errors": None,
                    "warnings": None,
                }
            ],
        },
    ]
