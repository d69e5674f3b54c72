"""Where Identity Center is, and what its people get in the accounts.

It has one home, an account and a region, and other places answer that there is none. People of AWS come into an account
through its access portal, which asks who they are; here `person_credentials` stands for the portal (other processes:
`GET /sandbox-api/credentials`), for anybody by the name.
https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from moto.identitystore.models import identitystore_backends
from moto.ssoadmin.models import Instance, PermissionSet, SSOAdminBackend, ssoadmin_backends
from moto.sts.models import sts_backends

from raito_pipeline.sandbox.aws.patches.sso_roles import find_role

_SESSION_SECONDS = 3_600


class SessionCredentials(NamedTuple):
    """Credentials of a session of a role, in the order in which boto3 takes them."""

    access_key_id: str
    secret_access_key: str
    session_token: str


class NotAssigned(PermissionError):
    """The person does not have the permission set in the account, neither directly nor through a group."""

    def __init__(self, account_id: str, permission_set: str, user_name: str) -> None:
        super().__init__(f"{user_name} does not have the permission set {permission_set} in account {account_id}.")


def set_identity_center_home(
    account_id: str, region: str, instance_arn: str, identity_store_id: str
) -> SSOAdminBackend:
    """Give Identity Center its home with these ids; gives the emulator's backend for seeding it in-process.

    Without a home every account and region has an Identity Center of its own, with random ids.
    """
    home = ssoadmin_backends[account_id][region]
    instance = Instance(account_id, region)
    instance.instance_arn = instance_arn
    instance.identity_store_id = identity_store_id
    home.instances = [instance]
    vars(home)["is_home"] = True
    return home


def person_credentials(account_id: str, permission_set: str, user_name: str) -> SessionCredentials:
    """Credentials of an hour of the permission set's role in the account, for a user of the identity store.

    NotAssigned where the portal would not show the user this account and permission set. Hold the emulated AWS's lock
    while clients are at work.
    """
    for sso in _homes():
        principals = _principals_of(sso.instances[0].identity_store_id, user_name)
        for known in sso.permission_sets:
            if known.name == permission_set and _is_assigned(sso, known, account_id, principals):
                return _session(known, account_id, user_name)
    raise NotAssigned(account_id, permission_set, user_name)


def _homes() -> list[SSOAdminBackend]:
    return [sso for account in ssoadmin_backends.values() for sso in account.values() if vars(sso).get("is_home")]


def _principals_of(identity_store_id: str, user_name: str) -> frozenset[str]:
    """The ids of the user and of the groups that the user is in."""
    stores = (backend.identity_stores for account in identitystore_backends.values() for backend in account.values())
    store: Any = next((one[identity_store_id] for one in stores if identity_store_id in one), None)
    if store is None:
        return frozenset()
    users = {user_id for user_id, user in store.users.items() if user.UserName == user_name}
    memberships: list[Mapping[str, Any]] = list(store.group_memberships.values())
    return frozenset(users | {one["GroupId"] for one in memberships if one["MemberId"]["UserId"] in users})


def _is_assigned(
    sso: SSOAdminBackend, permission_set: PermissionSet, account_id: str, principals: frozenset[str]
) -> bool:
    return any(
        (one.permission_set_arn, one.target_id) == (permission_set.permission_set_arn, account_id)
        and one.principal_id in principals
        for one in sso.account_assignments
    )


def _session(permission_set: PermissionSet, account_id: str, user_name: str) -> SessionCredentials:
    role = find_role(permission_set, account_id)
    if role is None:
        raise NotAssigned(account_id, permission_set.name, user_name)
    session = sts_backends[account_id]["aws"].assume_role(
        region_name="us-east-1",
        role_session_name=user_name,
        role_arn=role.arn,
        policy="",
        duration=_SESSION_SECONDS,
        external_id="",
    )
    return SessionCredentials(session.access_key_id, session.secret_access_key, session.session_token)
