"""The permissions that repair denied calls, read from the words in which errors are told."""

from pathlib import Path

from botocore.exceptions import ClientError

from raito_pipeline.aws.connection.errors import AwsError, explain, grouped
from raito_pipeline.aws.repair import Repair, repairs
from raito_pipeline.storage import Store


def denied(action: str, resource: str, message: str = "no identity-based policy allows it") -> AwsError:
    operation = action.partition(":")[2]
    answer = {"Error": {"Code": "AccessDenied", "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    return explain(ClientError(answer, operation), action=action, resource=resource)  # type: ignore[arg-type]


def test_each_denied_call_gives_one_line_however_often_it_is_told() -> None:
    told = str(denied("s3:ListBucket", "arn:aws:s3:::sales"))
    other = str(denied("iam:GetAccountAuthorizationDetails", "*"))
    lines = [str(one) for one in repairs([told, f"data_objects is denied: {told}; {other}", told])]
    assert lines == ["Allow iam:GetAccountAuthorizationDetails on *", "Allow s3:ListBucket on arn:aws:s3:::sales"]


def test_what_a_policy_denies_explicitly_is_not_to_be_allowed_again() -> None:
    told = str(denied("s3:ListBucket", "arn:aws:s3:::sales", "with an explicit deny in a resource-based policy"))
    assert repairs([told]) == (Repair("s3:ListBucket", "arn:aws:s3:::sales", explicit_deny=True),)


def test_where_more_was_denied_than_is_named_the_resource_of_the_least_policy_stands_for_all() -> None:
    errors = [denied("s3:GetBucketTagging", f"arn:aws:s3:::bucket-{n}") for n in range(3)]
    least = [("s3:GetBucketTagging", "arn:aws:s3:::*"), ("s3:ListBucket", "arn:aws:s3:::*")]
    assert repairs(grouped(errors), least) == (Repair("s3:GetBucketTagging", "arn:aws:s3:::*"),)
    one = repairs(grouped(errors[:1]), least)
    assert one == (Repair("s3:GetBucketTagging", "arn:aws:s3:::bucket-0"),)
    assert repairs([*grouped(errors), str(errors[2])], least) == repairs(grouped(errors), least)


def test_of_many_denied_buckets_of_a_cell_ten_are_named_and_all_are_repaired(tmp_path: Path) -> None:
    with Store.open(tmp_path).writer("s3_buckets", "1") as writer:
        for number in range(12):
            writer.add_problem(str(denied("s3:ListBucket", f"arn:aws:s3:::bucket-{number}")), "buckets")
    least = [("s3:ListBucket", "arn:aws:s3:::*")]
    assert repairs(writer.problems, least) == (Repair("s3:ListBucket", "arn:aws:s3:::*"),)


def test_other_failures_ask_for_no_permission() -> None:
    assert repairs(["s3:ListBucket on arn:aws:s3:::sales: it does not exist (NoSuchBucket).", "", "no answer"]) == ()


def test_what_is_named_in_words_becomes_what_a_policy_can_hold() -> None:
    told = [str(denied("s3:ListAllMyBuckets", "the account")), str(denied("glue:GetTables", "database sales in x"))]
    glue = "arn:aws:glue:eu-west-1:111122223333:table/*/*"
    assert repairs(told, [("glue:GetTables", glue)]) == (
        Repair("glue:GetTables", glue),
        Repair("s3:ListAllMyBuckets", "*"),
    )
