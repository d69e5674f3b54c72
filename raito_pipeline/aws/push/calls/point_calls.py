"""The calls of a push about access points and the buckets behind them: what is gone already counts as removed.

No client is made before the first call, so that a push without access points costs nothing.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateAccessPoint.html
"""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied, AwsError, AwsGone
from raito_pipeline.aws.connection.paging import MARKER, NEXT_TOKEN, Service
from raito_pipeline.aws.push.account.state import RESERVED_PATH, is_reserved_for
from raito_pipeline.aws.push.types.access_point_statements import point_document, principals_of, with_principals
from raito_pipeline.aws.readers.bucket_policies import policy_of_bucket
from raito_pipeline.aws.readers.reading import tags_of
from raito_pipeline.aws.readers.s3 import bucket_region
from raito_pipeline.model import CREATOR, Tag

_EXISTS = "AccessPointAlreadyOwnedByYou"
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
"""seconds between attempts where S3 does not know yet what this push has made: a minute in all"""
_ENTITY = re.compile(r"arn:[^:]+:iam::\d{12}:(?P<kind>user|role)/(?:.*/)?(?P<name>[^/]+)")


class Points:
    """The calls about access points of one account, thread-safe. Every method raises `AwsError` where AWS refuses."""

    def __init__(self, clients: AwsClients, account_id: str, pauses: Sequence[float] = _PAUSES) -> None:
        self._clients = clients
        self._account_id = account_id
        self._pauses = tuple(pauses)
        self._editing = threading.Lock()

    # -- access points -------------------------------------------------------------------------------------------------

    def bucket(self, arn: str) -> str | None:
        """The bucket that an access point opens, or None where there is no such access point."""
        try:
            return str(self._ask("GetAccessPoint", arn)["Bucket"])
        except AwsGone:
            return None

    def tags(self, arn: str) -> tuple[Tag, ...] | None:
        """The tags that an access point carries now, or None where there is no such access point."""
        try:
            tags = self._control(arn).get("ListTagsForResource", arn, AccountId=self._account_id, ResourceArn=arn)[
                "Tags"
            ]
        except AwsGone:
            return None
        return tags_of(tags)

    def tag(self, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
        """Add tags to an access point, or change their values; others stay."""
        request = {"AccountId": self._account_id, "ResourceArn": arn, "Tags": list(tags)}
        self._control(arn).get("TagResource", arn, **request)

    def may_take_over(self, arn: str) -> tuple[Tag, ...] | None:
        """The tags of an access point that is there already. Where they may not be read, one without a policy is ours.

        A push that was broken off after it made one leaves it so, and nobody has access through it.
        """
        try:
            return self.tags(arn)
        except AwsDenied:
            if self.policy(arn) is None:
                return (CREATOR,)
            raise

    def create(self, arn: str, request: Mapping[str, Any]) -> bool:
        """Create an access point; `request` holds its bucket and tags. False where the account has one of this name."""
        try:
            self._ask("CreateAccessPoint", arn, **request)
        except AwsError as error:
            if error.code == _EXISTS:
                return False
            raise
        return True

    def delete(self, arn: str) -> None:
        """Delete an access point, with its policy."""
        try:
            self._ask("DeleteAccessPoint", arn)
        except AwsGone:
            return

    # -- their policies ------------------------------------------------------------------------------------------------

    def policy(self, arn: str) -> str | None:
        """The policy of an access point as text, or None where it has none, or is not there."""
        try:
            return str(self._ask("GetAccessPointPolicy", arn)["Policy"])
        except AwsGone:
            return None

    def put_policy(self, arn: str, document: str, *, fresh: bool = False) -> tuple[str, ...]:
        """Write the policy of an access point. The principals that do not exist are left out, and given back.

        `fresh`: one of them was made by this push, and S3 may take a minute to know it.
        """
        for pause in (*self._pauses, None):
            try:
                self._put(arn, document)
            except AwsError as error:
                if not _names_nobody(error):
                    raise
                if fresh and pause is not None:
                    time.sleep(pause)
                    continue
                return self._put_without_missing(arn, document, error)
            return ()
        return ()

    def delete_policy(self, arn: str) -> None:
        """Take all access through an access point away; it stays."""
        try:
            self._ask("DeleteAccessPointPolicy", arn)
        except AwsGone:
            return

    def _put(self, arn: str, document: str) -> None:
        self._ask("PutAccessPointPolicy", arn, Policy=document)

    def _put_without_missing(self, arn: str, document: str, error: AwsError) -> tuple[str, ...]:
        statements = json.loads(document)["Statement"]
        named = sorted({one for each in statements for one in principals_of(each)})
        missing = tuple(one for one in named if not self._exists(one))
        if not missing:
            raise error
        left = [
            with_principals(each, [one for one in principals_of(each) if one not in missing]) for each in statements
        ]
        rest = point_document([each for each in left if each is not None])
        if rest is None:
            self.delete_policy(arn)
        else:
            self._put(arn, rest)
        return missing

    # -- principals ----------------------------------------------------------------------------------------------------

    def _exists(self, arn: str) -> bool:
        """True where a user or role is there, under this very ARN; also for principals of other kinds."""
        match = _ENTITY.fullmatch(arn)
        if match is None:
            return True
        kind = match["kind"].title()
        try:
            arn_there = self._iam().get(f"Get{kind}", arn, **{f"{kind}Name": match["name"]})[kind]["Arn"]
        except AwsGone:
            return False
        return bool(arn_there == arn)

    def reserved_role(self, permission_set: str) -> str | None:
        """The ARN of the role that Identity Center made of a permission set in the account; None where it made none."""
        resource = f"arn:{self._iam().partition}:iam::{self._account_id}:role{RESERVED_PATH}*"
        roles = self._iam().items("ListRoles", "Roles", resource, PathPrefix=RESERVED_PATH)
        return next((str(role["Arn"]) for role in roles if is_reserved_for(role["RoleName"], permission_set)), None)

    # -- buckets -------------------------------------------------------------------------------------------------------

    def bucket_policy(self, bucket: str) -> str | None:
        """The policy of a bucket as text, or None where it has none."""
        return policy_of_bucket(self._clients, bucket, bucket_region(self._clients, bucket))

    def edit_bucket_policy(self, bucket: str, edited: Callable[[str | None], str | None]) -> None:
        """Write what `edited` makes of the policy of a bucket, unless that is None; one bucket policy at a time."""
        with self._editing:
            document = edited(self.bucket_policy(bucket))
            if document is not None:
                s3 = self._s3(bucket)
                s3.get("PutBucketPolicy", f"arn:{s3.partition}:s3:::{bucket}", Bucket=bucket, Policy=document)

    # -- how calls are made --------------------------------------------------------------------------------------------

    def _ask(self, operation: str, arn: str, **request: Any) -> Mapping[str, Any]:
        name = arn.rpartition("/")[2]
        return self._control(arn).get(operation, arn, AccountId=self._account_id, Name=name, **request)

    def _control(self, arn: str) -> Service:
        return Service(self._clients, "s3control", NEXT_TOKEN, arn.split(":")[3])

    def _s3(self, bucket: str) -> Service:
        return Service(self._clients, "s3", NEXT_TOKEN, bucket_region(self._clients, bucket))

    def _iam(self) -> Service:
        return Service(self._clients, "iam", MARKER)


def _names_nobody(error: AwsError) -> bool:
    """True where AWS refuses a policy because somebody in it does not exist."""
    return error.code == "MalformedPolicy" and "principal" in str(error).lower()
