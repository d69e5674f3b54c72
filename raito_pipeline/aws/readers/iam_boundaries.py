"""Policies of AWS that are permissions boundaries and nothing else: neither way of reading IAM is sure to list them.

The documents decide what their users and roles may do at most. Two calls a policy, and one where the previous sync
knew the version that is in force.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html
"""

from collections.abc import Iterable

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied, AwsError, AwsGone
from raito_pipeline.aws.connection.paging import MARKER, Service
from raito_pipeline.aws.readers.iam_earlier import EarlierIam
from raito_pipeline.aws.readers.iam_rows import AccountRows, policy_row, policy_text
from raito_pipeline.aws.readers.kept_policies import kept_policy
from raito_pipeline.aws.readers.reading import UnreadElement, element_error
from raito_pipeline.model import IamPolicy, is_aws_managed


def read_boundaries(clients: AwsClients, arns: Iterable[str], rows: AccountRows, earlier: EarlierIam) -> None:
    """Add the boundaries that are not among the policies yet.

    For one that may not be read stands that of the kept copy (`kept_policies`), or that of the previous sync; without
    either, it is missing and said to be. Raises `AwsError` where the error is not of one policy.
    """
    iam = Service(clients, "iam", MARKER)
    known = {policy.arn for policy in rows.policies}
    for arn in sorted({arn for arn in arns if is_aws_managed(arn)} - known):
        try:
            rows.policies.append(_read(iam, arn, earlier))
        except AwsGone:
            continue
        except AwsError as error:
            kept = _kept(arn) if isinstance(error, AwsDenied) else None
            document = kept or earlier.policy_of(arn)
            if document is not None:
                rows.policies.append(document)
            if kept is None:
                what = "documents of permissions boundaries"
                unread = UnreadElement(what, arn, element_error(error), kept=document is not None)
                rows.policies_unread.append(unread)


def _read(iam: Service, arn: str, earlier: EarlierIam) -> IamPolicy:
    policy = iam.get("GetPolicy", arn, PolicyArn=arn)["Policy"]
    version = policy["DefaultVersionId"]
    known = earlier.version(policy["PolicyId"], version)
    if known is not None:
        return policy_row(policy, known.document, known.document_as_of)
    got = iam.get("GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)
    return policy_row(policy, policy_text(got["PolicyVersion"]["Document"]))


def _kept(arn: str) -> IamPolicy | None:
    """The policy of the kept copy; its ARN stands for the id, which the copy does not have.

    Which version is in force is not known: it is not to be read either.
    """
    kept = kept_policy(arn)
    if kept is None:
        return None
    path, _, name = arn.partition(":policy")[2].rpartition("/")
    answer = {"PolicyId": arn, "PolicyName": name, "Arn": arn, "Path": f"{path}/", "DefaultVersionId": ""}
    return policy_row(answer, kept.document, kept.as_of.isoformat(), kept.version_id)
