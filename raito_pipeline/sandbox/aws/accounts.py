"""Which account an access key means: the emulator tells accounts apart by the key that signed a call.

A key that it does not know silently means account 123456789012, so every key that somebody uses is installed first.
"""

from moto.iam.models import AccessKey, IAMBackend, get_account_id_from, iam_backends

_KEY_LENGTH = 20


class AccessKeyNotUsable(ValueError):
    """An access key id that the emulator would take for another account."""

    def __init__(self, access_key_id: str, reason: str) -> None:
        self.access_key_id = access_key_id
        super().__init__(f"Cannot install the access key {access_key_id!r}: {reason}.")


def iam_of(account_id: str) -> IAMBackend:
    """The emulator's IAM of one account, for seeding it without calls."""
    return iam_backends[account_id]["aws"]


def install_access_key(account_id: str, access_key_id: str, secret: str, user_name: str | None = None) -> None:
    """Make `access_key_id` mean `account_id`; with `user_name` it is that IAM user's key, which has to exist.

    Without a user the key only works while IAM is not enforced, where it may do everything. The id has to have 20
    upper-case letters or digits (AccessKeyNotUsable otherwise). Installing a key again moves it.
    """
    if len(access_key_id) != _KEY_LENGTH or not access_key_id.isalnum() or not access_key_id.isupper():
        raise AccessKeyNotUsable(access_key_id, "use 20 upper-case letters and digits")
    remove_access_key(access_key_id)
    key = AccessKey(user_name=user_name, prefix="AKIA", account_id=account_id)  # type: ignore[abstract]
    key.access_key_id = access_key_id
    key.secret_access_key = secret
    iam = iam_of(account_id)
    iam.access_keys[access_key_id] = key
    if user_name is not None:
        iam.get_user(user_name).access_keys.append(key)


def remove_access_key(access_key_id: str) -> None:
    """Forget the key in every account and of every user."""
    for account in list(iam_backends.values()):
        iam = account["aws"]
        if iam.access_keys.pop(access_key_id, None) is None:
            continue
        for user in iam.users.values():
            user.access_keys = [key for key in user.access_keys if key.access_key_id != access_key_id]


def account_of(access_key_id: str) -> str:
    """The account that the key or the session means (12 digits)."""
    return str(get_account_id_from(access_key_id))
