"""The tags that say for whom an object of AWS is."""

import json

from raito_pipeline.aws.push.owners.owner_tags import another_owner, owner_of, owner_tags, tags_of_request, with_owner
from raito_pipeline.model import CREATOR, Tag
from tests.aws.push.exported import control

OWN = (Tag("raito_data_source", "ds"), Tag("raito_access_control", "a"))


def test_they_name_data_source_and_access_control_in_characters_of_tags() -> None:
    assert owner_tags("ds", control("a")) == OWN
    assert owner_tags("", control("a")) == ()
    assert owner_tags("ds", control("a'b<c>"))[1].value == "a_b_c_"


def test_creator_stays_and_is_last() -> None:
    request = json.dumps(
        {"Name": "x", "Tags": [{"Key": CREATOR.key, "Value": CREATOR.value}, {"Key": "team", "Value": "é"}]}
    )

    once = with_owner(request, OWN)

    assert [tag.key for tag in tags_of_request(once)] == [
        "team",
        "raito_data_source",
        "raito_access_control",
        "creator",
    ]
    assert with_owner(once, OWN) == once
    for other in ("not JSON", "[]", '{"Name": "x"}'):
        assert with_owner(other, OWN) == other


def test_another_owner_is_named() -> None:
    assert owner_of(OWN) == ("ds", "a")
    assert another_owner(OWN, OWN) is None
    assert another_owner((CREATOR,), OWN) is None
    assert another_owner((Tag("raito_data_source", "x"),), OWN) == "data source x"
    assert another_owner((Tag("raito_access_control", "x"),), OWN) == "access control x"
