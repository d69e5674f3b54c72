"""Policies that name somebody who is gone."""

import json
from typing import Any

from tests.sandbox.aws.center import Center
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf, code


def naming(who: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": who}} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def principal(policy: Any) -> str:
    document = json.loads(policy) if isinstance(policy, str) else policy
    return str(document["Statement"][0]["Principal"]["AWS"])


def test_a_user_that_is_gone_stays_in_policies_by_id_even_if_made_anew(client: ClientOf) -> None:
    iam, s3, control = client("iam"), client("s3"), client("s3control")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    user = iam.create_user(UserName="ann")["User"]
    place = {"AccountId": ACCOUNT, "Name": "point"}
    arn = control.create_access_point(**place, Bucket="bucket")["AccessPointArn"]
    policies = {
        "bucket": naming(user["Arn"], Action="s3:GetObject", Resource="arn:aws:s3:::bucket/*"),
        "point": naming(user["Arn"], Action="s3:GetObject", Resource=f"{arn}/object/*"),
    }
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=naming(user["Arn"], Action="sts:AssumeRole"))
    s3.put_bucket_policy(Bucket="bucket", Policy=policies["bucket"])
    control.put_access_point_policy(**place, Policy=policies["point"])
    iam.delete_user(UserName="ann")
    iam.create_user(UserName="ann")
    assert principal(iam.get_role(RoleName="role")["Role"]["AssumeRolePolicyDocument"]) == user["UserId"]
    assert principal(s3.get_bucket_policy(Bucket="bucket")["Policy"]) == user["UserId"]
    stored = control.get_access_point_policy(**place)["Policy"]
    assert principal(stored) == user["UserId"]
    assert code(control.put_access_point_policy, **place, Policy=stored) == "MalformedPolicy"
    assert code(control.put_access_point_policy, **place, Policy=policies["point"]) == "done"


def test_a_reserved_role_that_goes_with_its_last_assignment_leaves_its_id(center: Center) -> None:
    arn, ann = center.permission_set(), center.user("ann")
    center.assign(arn, ann)
    (role,) = center.roles()
    center.iam.create_role(RoleName="role", AssumeRolePolicyDocument=naming(role["Arn"], Action="sts:AssumeRole"))
    center.sso.delete_account_assignment(**center.assignment(arn, ann, OTHER_ACCOUNT))
    center.aws_is_settled()
    assert principal(center.iam.get_role(RoleName="role")["Role"]["AssumeRolePolicyDocument"]) == role["RoleId"]
