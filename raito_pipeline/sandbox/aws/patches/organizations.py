"""Organizations: lists in pages, also where the emulator gives everything at once, and the errors that AWS names.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListParents.html
"""

import json
from typing import Any

from moto.organizations.exceptions import AWSOrganizationsNotInUseException, OrganizationsClientError
from moto.organizations.models import OrganizationsBackend, organizations_backends
from moto.organizations.responses import OrganizationsResponse

from raito_pipeline.sandbox.aws.patches.paging import page_of
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

# Name of the method, and name of the list in its answer.
_PAGED = (
    ("list_roots", "Roots"),
    ("list_parents", "Parents"),
    ("list_policies_for_target", "Policies"),
    ("list_tags_for_resource", "Tags"),
)
# Those that the emulator cuts into pages itself, by the time of joining, which many accounts share.
_CUT = (
    ("list_accounts", "Accounts"),
    ("list_accounts_for_parent", "Accounts"),
    ("list_organizational_units_for_parent", "OrganizationalUnits"),
)
_MOST = 20
_ALL = 1_000_000


def patch_organizations() -> None:
    """Make pages of the lists; refuse who is not the management account, and a child that is no member, as AWS does."""
    for method, key in _PAGED:
        _patch_list(method, key, {})
    for method, key in _CUT:
        _patch_list(method, key, {"MaxResults": _ALL})

    @replace(OrganizationsResponse, "describe_policy")
    def describe_policy(before: Method, self: OrganizationsResponse) -> str:
        _require_management(self)
        return str(before(self))

    @replace(OrganizationsBackend, "list_parents")
    def list_parents(before: Method, self: OrganizationsBackend, **request: Any) -> Any:
        children: list[Any] = [*self.accounts, *self.ou]
        if request["ChildId"] not in {one.id for one in children}:
            raise OrganizationsClientError("ChildNotFoundException", "You specified a child that doesn't exist.")
        return before(self, **request)


def forget_members() -> None:
    """Let no account be a member of an organization; the emulator forgets the organizations, and keeps this."""
    organizations_backends.master_accounts.clear()


def _patch_list(method: str, key: str, asked: dict[str, int]) -> None:
    @replace(OrganizationsResponse, method)
    def list_items(before: Method, self: OrganizationsResponse) -> str:
        _require_management(self)
        request = dict(self.request_params)
        size, token = request.pop("MaxResults", None), request.pop("NextToken", None)
        self.body = json.dumps({**request, **asked})
        whole = json.loads(before(self))
        page, following = page_of(whole[key], token, size, _MOST, _MOST)
        return json.dumps({key: page, **({"NextToken": following} if following else {})})


def _require_management(response: OrganizationsResponse) -> None:
    """The emulator lets every member ask."""
    if response.organizations_backend.org is not None:
        return
    if response.current_account not in organizations_backends.master_accounts:
        raise AWSOrganizationsNotInUseException
    raise OrganizationsClientError("AccessDeniedException", "You don't have permissions to access this resource.")
