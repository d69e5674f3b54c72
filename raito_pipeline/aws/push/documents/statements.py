"""Policy documents for a what, and trust policies for a who: a grant that really grants, and nothing more.

Actions on buckets go on the bucket's ARN, actions on objects on its objects; `s3:ListBucket` below a bucket is limited
by the condition `s3:prefix`. Equal grants give equal documents, byte by byte.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_service-with-iam.html
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from raito_pipeline.aws.data_objects.names import FILE_MARK, DataObjectName, parse_full_name
from raito_pipeline.aws.policy.permissions import Permission, permission
from raito_pipeline.aws.push.documents.athena import athena_statements
from raito_pipeline.model import WhatItem

VERSION = "2012-10-17"
POLICY_LIMIT = 6_144
ROLE_INLINE_LIMIT = 10_240
TRUST_LIMIT = 4_096
NOTHING = {"Effect": "Allow", "Action": "none:null", "Resource": "*"}
"""A statement that allows nothing, for a policy that must have one."""
_BEYOND_LATIN_1 = re.compile("[^\u0000-\u00ff]+")

NOBODY = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
"""The statement of a trust policy that lets nobody in: AWS takes no trust policy without one."""
_FOLDERS = frozenset({"folder", "glue-table", "table"})
_ESCAPED = {"*": "${*}", "?": "${?}", "$": "${$}"}


class WhatProblem(Exception):
    """A what that cannot be granted in AWS; the text says why."""


@dataclass
class Granted:
    """A policy document, and what of the what no policy can give."""

    document: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """what of the what was left out, because nobody could make it"""

    @property
    def text(self) -> str:
        """The document as AWS gets it: no white space, keys in their order."""
        return compact(self.document)


def compact(document: Any) -> str:
    """A JSON document without white space.

    Characters beyond Latin-1, which IAM does not take, are escaped as JSON has it: what it says stays the same.
    """
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return _BEYOND_LATIN_1.sub(lambda match: json.dumps(match[0])[1:-1], text)


def as_list(value: Any) -> list[Any]:
    """The members of an element that may be one or several; none where it is not there."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def same(one: str, other: str) -> bool:
    """True where two JSON documents say the same: single texts and lists of one, and the order of lists, are alike."""
    try:
        return bool(_normal(json.loads(one)) == _normal(json.loads(other)))
    except ValueError:
        return False


def alike(one: str | None, other: str | None) -> bool:
    """True where both are the same text, nothing at all, or two JSON documents that say the same."""
    return one == other or (one is not None and other is not None and same(one, other))


def fingerprint(document: str | None) -> str:
    """What documents that say the same have in common, as a short text; that of none is empty."""
    if not document:
        return ""
    try:
        said = json.dumps(_normal(json.loads(document)), sort_keys=True)
    except ValueError:
        said = document
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _normal(part) for key, part in value.items()}
    if isinstance(value, list):
        parts = sorted((_normal(part) for part in value), key=lambda part: json.dumps(part, sort_keys=True))
        return parts[0] if len(parts) == 1 else parts
    return value


def trust_policy(arns: Iterable[str]) -> str:
    """The trust policy of a role that users may assume; one that denies everybody where there are none."""
    listed = sorted(arns)
    users = {"Effect": "Allow", "Principal": {"AWS": listed}, "Action": "sts:AssumeRole"}
    return compact({"Version": VERSION, "Statement": [users if listed else NOBODY]})


def policy_for(what: Iterable[WhatItem], account_id: str, partition: str, workgroups: Sequence[str] = ()) -> Granted:
    """The document that grants a what. What is of another account or no S3 object is a problem, and is left out.

    `workgroups` are those of Athena in which people query the Glue tables of the what.
    """
    what = tuple(what)
    plain: dict[str, set[str]] = defaultdict(set)
    by_prefix: dict[tuple[str, str], set[str]] = defaultdict(set)
    warnings: list[str] = []
    problems: list[str] = []
    for item in what:
        for name in item.permissions:
            right = permission(name)
            if right is None:
                problems.append(f"permission {name} is none of those that can be granted")
                continue
            try:
                resources = _resources(item, right, account_id, partition)
            except WhatProblem as error:
                problems.append(str(error))
                continue
            for resource, prefix in resources:
                (by_prefix[resource, prefix] if prefix else plain[resource]).add(name)
            if not resources:
                warnings.append(
                    f"{name} cannot be granted on {item.data_object.full_name}: AWS does not check it there"
                )
    statements = [*_plain_statements(plain), *_prefix_statements(by_prefix)]
    if statements:
        statements += athena_statements(what, account_id, partition, workgroups)
    document = {"Version": VERSION, "Statement": statements or [NOTHING]}
    return Granted(document, warnings, list(dict.fromkeys(problems)))


def _resources(item: WhatItem, right: Permission, account_id: str, partition: str) -> list[tuple[str, str]]:
    """The resources that a permission on a data object is granted on, each with the prefix it is limited to."""
    full_name, kind = item.data_object.full_name, item.data_object.type
    if full_name == account_id:
        return [("*", "")]
    place = parse_full_name(full_name)
    if place is None or place.account != account_id:
        raise WhatProblem(f"data object {full_name} is not of account {account_id}")
    bucket = f"arn:{partition}:s3:::{place.bucket}"
    if place.path is None:
        objects = [(f"{bucket}/*", "")] if right.on_object else []
        return objects + ([(bucket, "")] if right.on_bucket else [])
    path = _escape(place.path)
    if kind == "file" or place.mark == FILE_MARK:
        return [(f"{bucket}/{path}", "")] if right.on_object else []
    if kind == "column":
        raise WhatProblem(f"data object {full_name} is a column, and S3 gives whole objects only; grant the table")
    if not _below(place, kind):
        raise WhatProblem(f"data object {full_name} is of type {kind or 'unknown'}, on which nothing can be granted")
    if right.on_bucket and right.by_prefix:
        return [(bucket, f"{path}/*")]
    return [(f"{bucket}/{path}/*", "")] if right.on_object else []


def _below(place: DataObjectName, kind: str) -> bool:
    return kind in _FOLDERS or (place.mark not in ("", FILE_MARK) and kind != "column")


def _escape(path: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in path)


def _plain_statements(grants: dict[str, set[str]]) -> list[dict[str, Any]]:
    resources: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource, actions in grants.items():
        resources[tuple(sorted(actions))].append(resource)
    return [
        {"Effect": "Allow", "Action": list(actions), "Resource": sorted(resources[actions])}
        for actions in sorted(resources)
    ]


def _prefix_statements(grants: dict[tuple[str, str], set[str]]) -> list[dict[str, Any]]:
    prefixes: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    for (bucket, prefix), actions in grants.items():
        prefixes[tuple(sorted(actions)), bucket].append(prefix)
    return [
        {
            "Effect": "Allow",
            "Action": list(actions),
            "Resource": [bucket],
            "Condition": {"StringLike": {"s3:prefix": sorted(prefixes[actions, bucket])}},
        }
        for actions, bucket in sorted(prefixes)
    ]
