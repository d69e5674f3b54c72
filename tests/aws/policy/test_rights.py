"""Rights of one name are one statement."""

from raito_pipeline.aws.policy.rights import Right, merged


def test_rights_of_one_name_are_merged_in_the_order_of_names() -> None:
    rights = [
        Right("B", ("s3:B", "s3:A"), ("y",)),
        Right("A", (), ("x",)),
        Right("C", ("s3:C",), ("z",)),
        Right("B", ("s3:A", "s3:0"), ("y", "x")),
    ]
    assert merged(rights) == [Right("B", ("s3:0", "s3:A", "s3:B"), ("y", "x")), Right("C", ("s3:C",), ("z",))]
