"""What each change of a plan is in AWS: one function for every (kind, operation) that a plan may hold.

Nothing that Raito did not make is rewritten or deleted: AWS is asked anew before a role or a policy is touched, unless
Raito Cloud itself names it as the access control's own (its external id in the export).
"""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.aws.push.iam_calls import CREATOR, EXISTS, Iam
from raito_pipeline.model import PushChange

IDLE = frozenset({"none", "refuse"})
"""Operations that change nothing."""
_CREATOR = (CREATOR[0].casefold(), CREATOR[1].casefold())


class ChangeRefused(Exception):
    """A change that was not tried, because it would touch what Raito did not make, or because it is not valid."""

    def __init__(self, change: PushChange, reason: str) -> None:
        super().__init__(f"{change.operation} of {change.kind} {change.resource}: {reason}")
        self.change, self.reason = change, reason


class Operations:
    """Makes changes of one push in one account. Thread-safe.

    `own_ids` are the external ids that the export names, by the id of the access control. What the push itself makes
    counts as made by Raito.
    """

    def __init__(self, iam: Iam, account_id: str, own_ids: Mapping[str, str]) -> None:
        self._iam = iam
        self._account_id = account_id
        self._own_ids = own_ids
        self._made: set[str] = set()
        self._ours: set[str] = set()
        self._lock = threading.Lock()
        self._functions: Mapping[tuple[str, str], Callable[[PushChange], None]] = {
            ("role", "create"): self._create_role,
            ("role", "delete"): self._delete_role,
            ("role-trust", "update"): self._set_trust,
            ("role-inline-policy", "create"): self._put_inline,
            ("role-inline-policy", "update"): self._put_inline,
            ("role-inline-policy", "delete"): self._delete_inline,
            ("policy", "create"): self._create_policy,
            ("policy", "delete"): self._delete_policy,
            ("policy-version", "create"): self._new_version,
            ("attachment", "attach"): self._attach,
            ("attachment", "detach"): self._detach,
        }

    def make(self, change: PushChange) -> None:
        """Make one change. Raises `AwsError` where AWS refuses it, `ChangeRefused` where it is not tried."""
        if change.operation in IDLE:
            return
        function = self._functions.get((change.kind, change.operation))
        if function is None:
            raise ChangeRefused(change, "this push cannot make such a change.")
        function(change)

    # -- roles ------------------------------------------------------------------------------------------

    def _create_role(self, change: PushChange) -> None:
        name = change.resource
        request = _object(change)
        trust = _text(request.pop("AssumeRolePolicyDocument", None))
        try:
            self._iam.create_role(name, {"AssumeRolePolicyDocument": trust, **request})
        except AwsError as error:
            if error.code != EXISTS:
                raise
            # An earlier push was broken off after this change: what it made is taken over.
            self._must_be_ours(change, self._iam.role_tags(name), error)
            self._iam.set_trust(name, trust)
        self._note(f"role:{name}")

    def _delete_role(self, change: PushChange) -> None:
        if self._role_is_ours(change, change.resource):
            self._iam.delete_role(change.resource)

    def _set_trust(self, change: PushChange) -> None:
        name = change.resource
        self._role_is_ours(change, name)
        self._iam.set_trust(name, _document(change), fresh=self._is_made(f"role:{name}"))

    def _put_inline(self, change: PushChange) -> None:
        role, policy = _inline(change)
        self._role_is_ours(change, role)
        self._iam.put_inline(role, policy, _document(change), fresh=self._is_made(f"role:{role}"))

    def _delete_inline(self, change: PushChange) -> None:
        role, policy = _inline(change)
        if self._role_is_ours(change, role):
            self._iam.delete_inline(role, policy)

    def _role_is_ours(self, change: PushChange, name: str) -> bool:
        """True where the role may be touched, false where it is gone. Raises `ChangeRefused`, `AwsError`."""
        return self._is_ours(change, f"role:{name}", lambda: self._iam.role_tags(name))

    # -- managed policies ------------------------------------------------------------------------------------------

    def _create_policy(self, change: PushChange) -> None:
        name = change.resource
        request = _object(change)
        document = _text(request.pop("PolicyDocument", None))
        try:
            self._iam.create_policy(name, {"PolicyDocument": document, **request})
        except AwsError as error:
            if error.code != EXISTS:
                raise
            arn = self._iam.arn("policy", name)
            self._must_be_ours(change, self._iam.policy_tags(arn), error)
            if self._iam.policy_document(arn) != json.loads(document):
                self._iam.new_version(arn, document)
        self._note(f"policy:{name}")

    def _delete_policy(self, change: PushChange) -> None:
        if self._policy_is_ours(change):
            self._iam.delete_policy(change.resource)

    def _new_version(self, change: PushChange) -> None:
        self._policy_is_ours(change)
        fresh = self._is_made(f"policy:{policy_name(change.resource)}")
        self._iam.new_version(change.resource, _document(change), fresh=fresh)

    def _policy_is_ours(self, change: PushChange) -> bool:
        arn = change.resource
        if f"::{self._account_id}:policy/" not in arn:
            raise ChangeRefused(change, f"it is no managed policy of account {self._account_id}. Nothing was changed.")
        return self._is_ours(change, f"policy:{policy_name(arn)}", lambda: self._iam.policy_tags(arn))

    # -- attachments ------------------------------------------------------------------------------------------

    def _attach(self, change: PushChange) -> None:
        kind, name, arn = _attachment(change, change.after)
        fresh = self._is_made(f"{kind}:{name}") or self._is_made(f"policy:{policy_name(arn)}")
        self._iam.attach(kind, name, arn, fresh=fresh)

    def _detach(self, change: PushChange) -> None:
        self._iam.detach(*_attachment(change, change.before))

    # -- who made it ------------------------------------------------------------------------------------------

    def _is_ours(
        self, change: PushChange, external_id: str, tags: Callable[[], frozenset[tuple[str, str]] | None]
    ) -> bool:
        if self._own_ids.get(change.access_control_id) == external_id or external_id in self._ours:
            return True
        found = tags()
        if found is None:
            return False
        self._must_be_ours(change, found, None)
        self._note(external_id, made=False)
        return True

    def _must_be_ours(
        self, change: PushChange, tags: frozenset[tuple[str, str]] | None, error: AwsError | None
    ) -> None:
        if any((key.casefold(), value.casefold()) == _CREATOR for key, value in tags or ()):
            return
        tag = "=".join(CREATOR)
        code = f" ({error.code})" if error else ""
        reason = f"it exists and was not made by Raito: it has no tag {tag}{code}. Nothing was changed."
        raise ChangeRefused(change, reason)

    def _note(self, external_id: str, *, made: bool = True) -> None:
        with self._lock:
            self._ours.add(external_id)
            if made:
                self._made.add(external_id)

    def _is_made(self, external_id: str) -> bool:
        return external_id in self._made


def policy_name(arn: str) -> str:
    """The name of a managed policy by its ARN."""
    return arn.rsplit("/", 1)[-1]


def _document(change: PushChange) -> str:
    if not change.after:
        raise ChangeRefused(change, "the plan gives no document.")
    return change.after


def _object(change: PushChange) -> dict[str, Any]:
    try:
        found = json.loads(change.after or "null")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ChangeRefused(change, "the plan gives no JSON object.")
    return found


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def _inline(change: PushChange) -> tuple[str, str]:
    role, slash, policy = change.resource.partition("/")
    if not slash or not role or not policy:
        raise ChangeRefused(change, "an inline policy is named ROLE/POLICY.")
    return role, policy


def _attachment(change: PushChange, arn: str | None) -> tuple[str, str, str]:
    kind, colon, name = change.resource.partition(":")
    if not colon or not name or kind not in ("user", "group", "role") or not arn:
        raise ChangeRefused(change, "an attachment names user:NAME, group:NAME or role:NAME and the ARN of a policy.")
    return kind, name, arn
