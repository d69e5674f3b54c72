"""What roles and policies of a plan share: the document of a what, and what a new object is made with."""

from raito_pipeline.aws.push.draft import Draft, Plans
from raito_pipeline.aws.push.types.grants import described_and_tagged, gives, granted
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import DataObjectReference, WhatItem
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.exported import FOLDER, control, state

ELSEWHERE = WhatItem(DataObjectReference("999988887777:eu-west-1:data/a", "folder"), ("s3:GetObject",))


def draft(*what: WhatItem, description: str = "why") -> Draft:
    return Draft(control("a", what=what, description=description), "aws_role")


def plans(partition: str = "aws") -> Plans:
    return Plans(state(), PushOptions(aws_partition=partition) if partition != "aws" else PushOptions(), {})


def test_the_whole_what_is_granted_unless_a_part_is_asked_for() -> None:
    other = WhatItem(DataObjectReference(f"{ACCOUNT}:eu-west-1:data/b", "folder"), ("s3:PutObject",))
    made = draft(FOLDER, other)

    assert "data/a/*" in granted(plans(), made).text
    assert "data/b/*" in granted(plans(), made).text
    assert "data/b" not in granted(plans(), made, [FOLDER]).text
    assert made.errors == []


def test_what_cannot_be_granted_is_left_out_with_an_error_and_the_rest_stays() -> None:
    made = draft(FOLDER, ELSEWHERE)

    document = granted(plans(), made)

    assert gives(document)
    assert "999988887777" not in document.text
    assert len(made.errors) == 1
    assert not made.refused


def test_a_document_of_nothing_gives_nothing() -> None:
    assert not gives(granted(plans(), draft()))
    assert not gives(granted(plans(), draft(ELSEWHERE)))


def test_a_new_object_says_who_made_it_and_what_aws_does_not_take_of_its_description() -> None:
    made = draft(description="d" * 2_000)

    request = described_and_tagged(made)

    assert request["Tags"] == [{"Key": "creator", "Value": "RAITO"}]
    assert len(request["Description"]) <= 1_000
    assert made.warnings, "that it was cut is said"
    assert described_and_tagged(draft())["Description"] == "why"
