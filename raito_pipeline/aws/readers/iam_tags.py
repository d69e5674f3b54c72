"""Tags of customer managed policies: one call a policy, so only where they can matter and are not known yet."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.connection.paging import MARKER, Service
from raito_pipeline.aws.readers.iam_earlier import EarlierIam
from raito_pipeline.aws.readers.iam_rows import PAGE
from raito_pipeline.aws.readers.reading import Progress, UnreadElement, element_error, tags_of, workers
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.model import IamPolicy, Tag


def with_tags(
    clients: AwsClients,
    policies: Iterable[IamPolicy],
    options: IamOptions,
    earlier: EarlierIam,
    progress: Progress,
) -> tuple[list[IamPolicy], list[UnreadElement]]:
    """The policies with their tags where these can matter, and those whose tags could not be read.

    What the previous sync knew of the same version of a policy is not asked again; where the tags cannot be read, those
    that it knew of the policy stand in. Raises `AwsError` where credentials have ended.
    """
    listed = list(policies)
    known: dict[str, tuple[Tag, ...] | None] = {}
    asked: list[IamPolicy] = []
    for policy in listed:
        if tags_matter(policy, options):
            remembered = earlier.tags(policy.policy_id, policy.default_version_id)
            if remembered is None:
                asked.append(policy)
            else:
                known[policy.arn] = remembered
    unread: list[UnreadElement] = []
    if asked:
        iam = Service(clients, "iam", MARKER)
        with workers(options.aws_concurrency) as pool:
            answers = pool.each(lambda policy: _tags(iam, policy.arn), asked, "policy tags", progress)
        for policy, answer in zip(asked, answers, strict=True):
            if isinstance(answer, AwsError):
                before = earlier.policy(policy.policy_id)
                known[policy.arn] = tags = before.tags if before else None
                unread.append(UnreadElement("tags of policies", policy.arn, answer, kept=tags is not None))
            else:
                known[policy.arn] = answer
    return [replace(policy, tags=known.get(policy.arn)) for policy in listed], unread


def tags_matter(policy: IamPolicy, options: IamOptions) -> bool:
    """Whether the policy could be imported: the customer's own, attached, not excluded, and about S3."""
    return (
        options.imports_managed_policies
        and not policy.aws_managed
        and policy.attachment_count > 0
        and not matches_any(options.aws_access_managed_policy_excludes, policy.policy_name)
        and may_name_s3(policy.document)
    )


def may_name_s3(document: str) -> bool:
    """False only where a policy document certainly names no action of S3; true for documents that are not valid."""
    try:
        parsed = json.loads(document)
        statements = {key.lower(): value for key, value in parsed.items()}["statement"]
        return any(_names_s3(one) for one in (statements if isinstance(statements, list) else [statements]))
    except (ValueError, TypeError, AttributeError, KeyError):
        return True


def _names_s3(statement: Mapping[str, Any]) -> bool:
    elements = {key.lower(): value for key, value in statement.items()}
    if "action" not in elements:
        return True
    actions = elements["action"] if isinstance(elements["action"], list) else [elements["action"]]
    services = [action.split(":", 1)[0].lower() for action in actions]
    return any(service == "s3" or "*" in service or "?" in service for service in services)


def _tags(iam: Service, arn: str) -> tuple[Tag, ...] | AwsError:
    try:
        return tags_of(iam.items("ListPolicyTags", "Tags", arn, PolicyArn=arn, MaxItems=PAGE))
    except AwsGone:
        return ()
    except AwsError as error:
        return element_error(error)
