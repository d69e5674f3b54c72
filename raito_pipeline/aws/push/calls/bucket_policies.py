"""Reading the policies of the buckets behind access points that are to be pushed.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
"""

from collections.abc import Iterable

from raito_pipeline.aws.connection.clients import AwsClients, AwsError
from raito_pipeline.aws.connection.errors import AwsGone
from raito_pipeline.aws.readers.bucket_policies import policy_of_bucket
from raito_pipeline.aws.readers.reading import bucket_error, workers
from raito_pipeline.model import PushBucket, S3Bucket


def read_bucket_policies(
    clients: AwsClients, buckets: Iterable[S3Bucket], concurrency: int = 5
) -> tuple[PushBucket, ...]:
    """The policy of each bucket, sorted by name; those whose region is not known are left out.

    A policy that cannot be read is no failure: the row says why, since the right to read it (`s3:GetBucketPolicy`) is
    optional. Raises `AwsError` where the credentials have ended.
    """
    with workers(concurrency) as pool:
        policies = pool.each(lambda bucket: _policy(clients, bucket), [each for each in buckets if each.region])
    return tuple(sorted(policies, key=lambda row: row.name))


def _policy(clients: AwsClients, bucket: S3Bucket) -> PushBucket:
    region = bucket.region or ""
    try:
        return PushBucket(bucket.name, region, policy_of_bucket(clients, bucket.name, region), None)
    except AwsGone as gone:
        return PushBucket(bucket.name, region, None, str(gone))
    except AwsError as error:
        return PushBucket(bucket.name, region, None, str(bucket_error(error)))
