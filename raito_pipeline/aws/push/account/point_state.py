"""What S3 of an account holds that access points are planned on: from stored tables, never from AWS."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from raito_pipeline.model import AccessPoint, PushBucket, S3Bucket


def name_in_arn(arn: str) -> str:
    """The name of an access point by its ARN."""
    return arn.rpartition("/")[2]


@dataclass(frozen=True)
class PointState:
    """Buckets and access points of one account."""

    buckets: Mapping[str, S3Bucket]
    """every bucket of the account, by name"""
    points: Mapping[str, AccessPoint]
    """access points by ARN"""
    unread: Mapping[str, str | None]
    """regions whose access points are asked for: why they are not known, None where they are"""
    policies: Mapping[str, PushBucket]
    """policies of the buckets behind access points that are to be pushed, by bucket"""

    @staticmethod
    def of(
        buckets: Iterable[S3Bucket],
        points: Iterable[AccessPoint],
        unread: Mapping[str, str | None],
        policies: Iterable[PushBucket],
    ) -> "PointState":
        """Index stored tables of an account."""
        return PointState(
            {bucket.name: bucket for bucket in buckets},
            {point.arn: point for point in points},
            unread,
            {bucket.name: bucket for bucket in policies},
        )

    def why_unknown(self, region: str) -> str | None:
        """Why nothing is known of the access points of a region; None where they are known."""
        if region not in self.unread:
            return f"region {region} is not in aws-regions"
        return self.unread[region]


NO_POINTS = PointState({}, {}, {}, {})
"""Nothing is known, in no region."""
