"""What a push may do at all: every planned change of every type is judged here, between plan and apply.

An export is not trusted: who can edit it, or Raito Cloud, must not become an administrator of the account. So a change
is refused that gives people what is more than data, that deletes it, that touches the identity which pushes, that lifts
a limit (a permissions boundary, a Deny), or that grants anything outside the account and its known buckets. A refused
change takes out those that need what it makes; what only takes access away stays.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from raito_pipeline.aws.access.external_ids import ROLE
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.changes import NOTHING, Change, Things
from raito_pipeline.aws.push.documents.bucket_consent import delegation
from raito_pipeline.aws.push.documents.effects import Effect, named_by
from raito_pipeline.aws.push.documents.revocations import only_taking
from raito_pipeline.aws.push.documents.statements import as_list
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.pushed_types import PushedTypes
from raito_pipeline.aws.push.rules.bounds import Bounds, arns_of, rights_of
from raito_pipeline.aws.push.rules.data_rights import GIVES_NOTHING_BY_ITSELF, Guarded, is_data
from raito_pipeline.aws.push.rules.denials import Denials
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl

_ASSUMING = frozenset({"sts:assumerole", "sts:tagsession", "sts:setsourceidentity"})
_BY_PUSH = "the identity that pushes is never changed by a push"


@dataclass(frozen=True)
class Judgement:
    """The rules of one push."""

    state: PushState
    bounds: Bounds
    guarded: Guarded

    def reason(self, change: Change, control: AccessControl) -> str | None:
        """Why a change is refused; None where it may be made."""
        untouchable = self.untouchable(change)
        if untouchable is not None:
            return untouchable
        if Effect.GIVES in change.effect:
            for thing in sorted(change.through):
                reason = self.guarded.reason(thing)
                if reason:
                    return f"{thing} gets no new people: {reason}{_ALLOW}"
        if Effect.TAKES in change.effect and any(map(self.guarded.reason, change.through)):
            for role in sorted(
                thing for thing in change.alters if thing.startswith(ROLE) and self.guarded.reason(thing)
            ):
                return f"{role} keeps what makes it more than a role for data{_ALLOW}"
        if Effect.REMOVES in change.effect:
            for thing in sorted(change.removes):
                reason = self.guarded.reason(thing)
                if reason:
                    return f"{thing} is not deleted: {reason}{_ALLOW}"
        return self._of_limits(change) or next(self._of_documents(change, control), None)

    def untouchable(self, change: Change) -> str | None:
        """Why nothing of a change is made, also not what of it takes access away; None where it is of other things."""
        for thing in sorted(change.alters):
            if thing in self._caller_rights:
                return f"it would change {thing}: {_BY_PUSH}"
            if thing in self._of_aws:
                return f"it would change {thing}: {self.guarded.reason(thing)}"
        return None

    def _of_limits(self, change: Change) -> str | None:
        """Why a change is refused by which others could do more: it lifts a permissions boundary, or a Deny."""
        more = change.alters if Effect.GIVES in change.effect else NOTHING
        for thing in sorted(more | (change.removes if Effect.REMOVES in change.effect else NOTHING)):
            if thing in self.state.bounded:
                whose = ", ".join(self.state.bounded[thing])
                return f"{thing} is the permissions boundary of {whose}, who would not be limited as before"
        return None if change.frees is None else self._denials.reason(*change.frees)

    @cached_property
    def _denials(self) -> Denials:
        return Denials(self.state)

    @cached_property
    def _caller_rights(self) -> Things:
        return rights_of(self.bounds.caller, self.state)

    @cached_property
    def _of_aws(self) -> Things:
        """The roles that belong to AWS."""
        roles = self.state.roles.values()
        return frozenset(f"role:{r.role_name}" for r in roles if r.path.startswith(("/aws-service-role/", "/aws-res")))

    # -- documents -------------------------------------------------------------------------------------------------

    def _of_documents(self, change: Change, control: AccessControl) -> Iterator[str]:
        """What the documents of a change allow that they did not allow before, and no push may give."""
        had = [statement for statement in _statements(change.row.before) if statement.get("Effect") == "Allow"]
        actions, resources, principals = _texts(had, "Action"), _texts(had, "Resource"), _principals(had)
        for statement in _statements(change.row.after):
            if statement.get("Effect") != "Allow" or statement in had or self._is_delegation(statement, change):
                continue
            for element in ("NotAction", "NotResource", "NotPrincipal"):
                if element in statement:
                    yield f"it would allow everything but what {element} names"
            trusts = "Principal" in statement
            for action in sorted(_texts([statement], "Action") - actions):
                if not is_data(action) and not (trusts and action.lower() in _ASSUMING):
                    yield f"it would allow {action}, which is more than data"
            for resource in sorted(_texts([statement], "Resource") - resources):
                yield from self._of_resource(resource, statement, control)
            for principal in sorted(_principals([statement]) - principals):
                yield from self._of_principal(principal, change)

    def _is_delegation(self, statement: Any, change: Change) -> bool:
        """True for the very statement with which a known bucket leaves it to the access points of the account."""
        _, partition, _, _, _, bucket = (change.row.resource.split(":", 5) + [""] * 6)[:6]
        known = self.bounds.buckets is None or bucket in self.bounds.buckets
        return known and bool(statement == delegation(bucket, self.state.account_id, partition))

    def _of_resource(self, resource: str, statement: Any, control: AccessControl) -> Iterator[str]:
        """Why a resource is not granted."""
        account = self.state.account_id
        if resource == "*":
            whole = any(item.data_object.full_name == account for item in control.what)
            if (
                not whole
                and not {action.lower() for action in _texts([statement], "Action")} <= GIVES_NOTHING_BY_ITSELF
            ):
                yield "it would allow access to everything (*), and its what does not name the account"
            return
        parts = resource.split(":", 5)
        service, owner, name = (parts[2], parts[4], parts[5]) if len(parts) == 6 else ("", "", "")
        if service == "s3" and not owner:
            bucket, known = name.partition("/")[0], self.bounds.buckets
            if (known is not None and bucket not in known) or set(bucket) & set("*?$"):
                yield f"it would allow access to {resource}: that is no known bucket of account {account}"
        elif service not in ("s3", "glue", "athena") or owner != account:
            yield f"it would allow access to {resource}, which is not in account {account}"

    def _of_principal(self, principal: str, change: Change) -> Iterator[str]:
        """Why a principal gets no access by a document."""
        kind, _, value = principal.partition(" ")
        if value in change.awaits:
            return  # a role that this push makes, in the place of its ARN
        if value in arns_of(self.bounds.caller, self.state):
            yield f"it would give access to {value}: {_BY_PUSH}"
        elif kind != "AWS" or f"::{self.state.account_id}:" not in value or value.endswith(":root"):
            yield f"it would give access to {kind} {value}, which is no user or role of account {self.state.account_id}"


_ALLOW = ". The option aws-push-allow-beyond-data allows it by name"


def hold_to(
    drafts: Sequence[Draft], types: PushedTypes, state: PushState, options: PushOptions, bounds: Bounds
) -> None:
    """Take the changes that a push may not make out of the drafts. Each is an error of its access control."""
    rules = Judgement(state, bounds, Guarded(state, options))
    missing: set[str] = set()
    for draft in drafts:
        changes = types.changes(draft.rows)
        reasons = {position: rules.reason(change, draft.control) for position, change in enumerate(changes)}
        closed = {
            thing
            for position, change in enumerate(changes)
            if reasons[position] and Effect.GIVES in change.effect
            for thing in change.through
            if rules.guarded.reason(thing)
        }
        for position, change in enumerate(changes):
            reason = reasons[position]
            if reason is None and Effect.GIVES in change.effect and change.needs & closed:
                reason = "its access control wants new people for it, which it does not get"
            if reason is not None:
                missing |= change.makes
                _take_out(draft, change, types, reason, whole=rules.untouchable(change) is not None)
    while _take_out_needing(drafts, types, missing):
        pass
    for draft in drafts:
        _warn_of_limits(draft, types, state)


def _warn_of_limits(draft: Draft, types: PushedTypes, state: PushState) -> None:
    """Say whose permissions boundary gives less: what others give them counts for less then."""
    taking = (change.alters for change in types.changes(draft.rows) if Effect.TAKES in change.effect)
    for thing in sorted(frozenset().union(*taking) & state.bounded.keys()):
        whose = ", ".join(state.bounded[thing])
        draft.warnings.append(f"{thing} gives less, also as the permissions boundary of {whose}")


def _take_out_needing(drafts: Sequence[Draft], types: PushedTypes, missing: set[str]) -> bool:
    """Take out what needs something that nothing makes any more; true where there was such a change."""
    taken_out = False
    for draft in drafts:
        for change in types.changes(draft.rows):
            lacking = sorted(change.needs & missing)
            if lacking and not change.revokes:
                missing |= change.makes
                _take_out(draft, change, types, f"{lacking[0]}, which it needs, is not made")
                taken_out = True
    return taken_out


def _take_out(draft: Draft, change: Change, types: PushedTypes, reason: str, *, whole: bool = False) -> None:
    """Take one change out, less the access that it takes away, unless it goes as a `whole`.

    Without the object that an access control is, or without any change, it is refused whole, but for what it loses of
    the one that it has.
    """
    kept = only_taking(change.row.before, change.row.after) if Effect.TAKES in change.effect and not whole else None
    rest = [] if kept is None else [replace(change.row, after=kept)]
    draft.rows = [new for row in draft.rows for new in (rest if row is change.row else [row])]
    text = f"{change.title} is refused: {reason}"
    left, old = types.changes(draft.rows), draft.replaces or draft.control
    taking = [each.row for each in left if each.revokes and Effect.REMOVES not in each.effect]
    if types.creates(change) and taking and old.external_id:
        # The object that it was to take the place of stays, less what is not granted any more.
        draft.rows, draft.name, draft.external_id = taking, old.actual_name or "", old.external_id
        draft.leave_out(text)
    elif types.creates(change) or not any(each.effect for each in left):
        draft.refuse(text)
    else:
        draft.leave_out(text)


# -- reading documents, also inside of requests --------------------------------------------------------------------


def _statements(text: str | None) -> list[dict[str, Any]]:
    """The statements of a document, or of the documents in a request."""
    return list(_statements_in(_value(text)))


def _value(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _statements_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Statement" in value:
            listed = value["Statement"]
            yield from (each for each in as_list(listed) if isinstance(each, dict))
        else:
            for part in value.values():
                yield from _statements_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _statements_in(part)
    elif isinstance(value, str) and value.lstrip().startswith("{"):
        yield from _statements_in(_value(value))


def _texts(statements: Sequence[dict[str, Any]], element: str) -> set[str]:
    return {str(each) for statement in statements if element in statement for each in as_list(statement[element])}


def _principals(statements: Sequence[dict[str, Any]]) -> set[str]:
    """Principals as `AWS arn:...`; everybody is `* *`."""
    principals = (statement["Principal"] for statement in statements if statement.get("Principal") is not None)
    return {f"{kind} {name}" for principal in principals for kind, name in named_by(principal)}
