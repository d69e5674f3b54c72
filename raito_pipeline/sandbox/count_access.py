"""Counts the access providers that an account should have, with the simplest rules: what is kept, not what it says."""

import csv
import fnmatch
import json
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

from raito_pipeline.sandbox.aws.estate import EstateAccount
from raito_pipeline.sandbox.count_aws import AwsCounter, is_of_raito

_RESERVED = "AWSReservedSSO_"


def count_access_providers(counter: AwsCounter, account: EstateAccount) -> dict[str, int]:
    """Access providers by type, as they should have been imported."""
    counted: Counter[str] = Counter()
    kept_roles: set[str] = set()
    for policy in counter.attached_policies():
        if not is_of_raito(policy["Tags"]) and _about_s3(policy["Document"]):
            counted["aws_policy"] += 1
            kept_roles.update(policy["Roles"])
    ours = tuple(f"{_RESERVED}{name}_" for name in counter.permission_sets_by_raito)
    for role in counter.roles():
        if role["RoleName"].startswith(ours):
            continue
        about_s3 = any(_about_s3(document) for document in role["Inline"])
        if not is_of_raito(role["Tags"]) and (about_s3 or role["RoleName"] in kept_roles):
            counted["aws_sso_role" if role["RoleName"].startswith(_RESERVED) else "aws_role"] += 1
    counted["aws_policy"] += counter.principals_with_inline_policies()
    counted["aws_access_point"] += sum(
        point["Policy"] is not None and not is_of_raito(point["Tags"]) for point in counter.access_points
    )
    counted["aws_bucket_policy"] = sum(
        any(_gives_somebody(statement, account.account_id) for statement in policy["Statement"])
        for policy in counter.bucket_policies()
    )
    return {kind: number for kind, number in counted.items() if number}


def _gives_somebody(statement: dict[str, Any], account_id: str) -> bool:
    """True for an Allow of S3 to others than the account itself, which leaves it to its other policies."""
    if statement["Effect"] != "Allow" or not _allows(statement):
        return False
    principal = statement["Principal"]
    named = principal["AWS"] if isinstance(principal, dict) and "AWS" in principal else "*"
    return any(
        name not in (account_id, f"arn:aws:iam::{account_id}:root")
        for name in ([named] if isinstance(named, str) else named)
    )


@cache
def _permissions() -> tuple[str, ...]:
    text = files("raito_pipeline.aws.policy").joinpath("s3_permissions.csv").read_text("utf-8")
    return tuple(row["permission"].lower() for row in csv.DictReader(text.splitlines()))


def _about_s3(document: Any) -> bool:
    """True where a statement allows some permission, or where the document is not valid."""
    content = json.loads(document) if isinstance(document, str) else document
    statements = content["Statement"] if isinstance(content["Statement"], list) else [content["Statement"]]
    if any(statement["Effect"] not in ("Allow", "Deny") for statement in statements):
        return True
    return any(_allows(statement) for statement in statements if statement["Effect"] == "Allow")


def _allows(statement: dict[str, Any]) -> bool:
    patterns = statement["Action"] if "Action" in statement else statement["NotAction"]
    listed = [patterns] if isinstance(patterns, str) else patterns
    matched = {name for p in listed if _may_be_of_s3(p) for name in fnmatch.filter(_permissions(), p.lower())}
    return bool(matched) if "Action" in statement else len(matched) < len(_permissions())


def _may_be_of_s3(pattern: str) -> bool:
    """False for what begins as no action of S3 does: most patterns, and each would be compiled for nothing."""
    begin = re.split(r"[*?[]", pattern.lower())[0]
    return "s3:".startswith(begin[:3])
