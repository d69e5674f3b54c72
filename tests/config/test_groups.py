"""Groups of options: frozen, each with its defaults, and what follows from several options of one."""

import pytest
from pydantic import ValidationError

from raito_pipeline.config import groups
from raito_pipeline.config.groups import BucketPolicyOptions, IamOptions, S3Options
from raito_pipeline.config.option import OptionGroup, declared

GROUPS = [
    each
    for each in vars(groups).values()
    if isinstance(each, type) and issubclass(each, OptionGroup) and each is not OptionGroup
]
OPTIONAL = [each for each in GROUPS if not any(info.is_required() for info in each.model_fields.values())]


@pytest.mark.parametrize("group", OPTIONAL, ids=lambda each: each.__name__)
def test_a_group_stands_without_any_option_and_cannot_be_changed(group: type[OptionGroup]) -> None:
    made = group()
    name = next(iter(group.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, name, getattr(made, name))
    with pytest.raises(ValidationError, match="not_there"):
        group(not_there=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("group", GROUPS, ids=lambda each: each.__name__)
def test_every_field_is_an_option_with_a_sentence(group: type[OptionGroup]) -> None:
    options = {each.attribute: each.option for each in declared(group)}
    for attribute, option in options.items():
        assert option.text.endswith("."), attribute
        assert len(set(option.names)) == len(option.names), attribute


def test_what_is_imported_follows_from_what_is_skipped() -> None:
    everything = IamOptions()
    assert everything.imports_iam_access
    assert everything.imports_managed_policies
    assert not IamOptions(aws_access_skip_iam=True).imports_iam_access
    assert not IamOptions(aws_access_skip_iam=True).imports_managed_policies
    only_inline = IamOptions(aws_access_skip_managed_policies=True)
    assert (only_inline.imports_iam_access, only_inline.imports_managed_policies) == (True, False)


def test_bucket_policies_are_read_unless_they_are_off() -> None:
    assert [
        BucketPolicyOptions(bucket_policies=each).reads_bucket_policies for each in ("show", "deny-only", "off")
    ] == [
        True,
        True,
        False,
    ]


def test_groups_are_equal_by_what_they_say() -> None:
    assert S3Options() == S3Options()
    assert S3Options(aws_s3_max_folder_depth=2) != S3Options()
