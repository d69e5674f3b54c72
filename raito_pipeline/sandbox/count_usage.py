"""Counts the usage statements that the log files of an account should give."""

from raito_pipeline.sandbox.count_aws import AwsCounter


def count_statements(counter: AwsCounter) -> int:
    """Different S3 data events on buckets that are data objects; those on the log bucket do not count."""
    known = counter.known_buckets()
    return len(
        {
            record["eventID"]
            for record in counter.log_records()
            if record["eventCategory"] == "Data" and record["requestParameters"]["bucketName"] in known
        }
    )
