"""The first way of reading IAM: `GetAccountAuthorizationDetails`, nearly everything in a page or two.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from collections.abc import Iterator

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.paging import MARKER, Service
from raito_pipeline.aws.readers.iam_rows import (
    PAGE,
    AccountRows,
    Answer,
    PrincipalType,
    group_row,
    inline_attachment,
    managed_attachment,
    policy_row,
    policy_text,
    role_row,
    user_row,
)
from raito_pipeline.aws.readers.iam_wanted import details_filter, wants_policies
from raito_pipeline.aws.readers.reading import Progress
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.model import IamAttachment

_OPERATION = "GetAccountAuthorizationDetails"
ACTION = f"iam:{_OPERATION}"


def read_details(clients: AwsClients, options: IamOptions, progress: Progress) -> AccountRows:
    """All rows of an account but the tags of its policies. Raises `AwsError`; `AwsDenied` asks for the other way."""
    rows = AccountRows()
    iam = Service(clients, "iam", MARKER)
    pages = iam.pages(_OPERATION, "*", MaxItems=PAGE, Filter=details_filter(options))
    for done, page in enumerate(pages, start=1):
        _add_page(rows, page, options)
        progress("account details", done, None)
    return rows


def _add_page(rows: AccountRows, page: Answer, options: IamOptions) -> None:
    for user in page.get("UserDetailList", ()):
        excluded = options.excludes_user(user["UserName"])
        rows.users.append(user_row(user, user.get("GroupList") or (), with_tags=not excluded))
        rows.attachments += _attachments("user", user["UserName"], user, "UserPolicyList", options)
    for group in page.get("GroupDetailList", ()):
        rows.groups.append(group_row(group))
        rows.attachments += _attachments("group", group["GroupName"], group, "GroupPolicyList", options)
    for role in page.get("RoleDetailList", ()):
        rows.roles.append(role_row(role))
        rows.attachments += _attachments("role", role["RoleName"], role, "RolePolicyList", options)
    rows.policies += [policy_row(policy, _default_document(policy)) for policy in page.get("Policies", ())]


def _attachments(
    kind: PrincipalType, name: str, principal: Answer, inline_key: str, options: IamOptions
) -> Iterator[IamAttachment]:
    for managed in principal.get("AttachedManagedPolicies") or ():
        yield managed_attachment(kind, name, managed["PolicyName"], managed["PolicyArn"])
    if wants_policies(options):
        for inline in principal.get(inline_key) or ():
            yield inline_attachment(kind, name, inline["PolicyName"], inline["PolicyDocument"])


def _default_document(policy: Answer) -> str:
    for version in policy.get("PolicyVersionList") or ():
        if version["VersionId"] == policy["DefaultVersionId"]:
            return policy_text(version["Document"])
    return ""
