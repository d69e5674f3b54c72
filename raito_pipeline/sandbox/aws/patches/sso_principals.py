"""The identity store: who is in it, and what goes with a user or group that is deleted."""

from typing import Any

from moto.identitystore.exceptions import ConflictException
from moto.identitystore.models import IdentityStoreBackend, IdentityStoreData, identitystore_backends

from raito_pipeline.sandbox.aws.patches.replacing import Method, replace


def principal_exists(identity_store_id: str, kind: str, principal_id: str) -> bool:
    """Whether the identity store has this user ("USER") or group ("GROUP")."""
    for account in list(identitystore_backends.values()):
        for backend in list(account.values()):
            store = backend.identity_stores.get(identity_store_id)
            if store is not None and principal_id in (store.users if kind == "USER" else store.groups):
                return True
    return False


def patch_identity_store() -> None:
    """Memberships go with their user or group, and there is one of each."""

    @replace(IdentityStoreBackend, "delete_user")
    def delete_user(before: Method, self: IdentityStoreBackend, identity_store_id: str, user_id: str) -> None:
        before(self, identity_store_id, user_id)
        _forget(_store(self, identity_store_id), lambda membership: membership["MemberId"]["UserId"] == user_id)

    @replace(IdentityStoreBackend, "delete_group")
    def delete_group(before: Method, self: IdentityStoreBackend, identity_store_id: str, group_id: str) -> None:
        before(self, identity_store_id, group_id)
        _forget(_store(self, identity_store_id), lambda membership: membership["GroupId"] == group_id)

    @replace(IdentityStoreBackend, "create_group_membership")
    def create_group_membership(
        before: Method, self: IdentityStoreBackend, identity_store_id: str, group_id: str, member_id: dict[str, str]
    ) -> Any:
        for known in _store(self, identity_store_id).group_memberships.values():
            if known["GroupId"] == group_id and known["MemberId"] == member_id:
                raise ConflictException(
                    message="Member is already in the group", reason="UNIQUENESS_CONSTRAINT_VIOLATION"
                )
        return before(self, identity_store_id, group_id, member_id)


def _store(backend: IdentityStoreBackend, identity_store_id: str) -> IdentityStoreData:
    return backend.identity_stores.setdefault(identity_store_id, IdentityStoreData())


def _forget(store: IdentityStoreData, matches: Any) -> None:
    store.group_memberships = {key: known for key, known in store.group_memberships.items() if not matches(known)}
