"""A real account: nothing is over-claimed, nothing missed without a word, and few reasons that say nothing of S3."""

from raito_pipeline.model import S3Bucket
from tests.aws.access.comparison import CODES, compare, has, rows_of
from tests.aws.access.random_accounts import WHEN
from tests.aws.real_account import real_account

BUCKETS = [S3Bucket(name, "us-east-1", WHEN, True, ()) for name in ("data", "logs", "elasticbeanstalk-us-east-1-1")]
KEYS = ("k", "x/k", "resources/environments/k", "AWSLogs/1/k")


def test_what_is_claimed_of_a_real_account_is_what_aws_gives() -> None:
    findings = compare(real_account(BUCKETS), KEYS)

    assert findings.claimed > 1_000
    assert findings.over == []
    assert findings.silent == []


def test_few_access_providers_of_a_real_account_are_incomplete() -> None:
    rows = rows_of(real_account(BUCKETS))

    by_code = {code: sum(has(row, code) for row in rows) for code in CODES}
    incomplete = sum(row.incomplete for row in rows)
    print(f"{len(rows)} access providers, {incomplete} incomplete, by code {by_code}")
    assert incomplete <= 31
