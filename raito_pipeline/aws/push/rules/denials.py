"""What managed policies deny to those who lose them: without the policy, what others give them counts again.

Whoever loses a policy in Raito Cloud is to have less by it. One that denies something takes that away from what other
policies of theirs give, so that they would have more, which nobody granted.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from raito_pipeline.aws.access.external_ids import PERMISSION_SET
from raito_pipeline.aws.policy import Statement, read_document
from raito_pipeline.aws.policy.deny_reach import is_account, reach
from raito_pipeline.aws.push.account.imported import Claims, covers
from raito_pipeline.aws.push.account.state import Principal, PushState
from raito_pipeline.aws.push.rules.data_rights import beyond_data_of
from raito_pipeline.model import IamPolicy, made_by_raito

_BY_POINTS = "s3:dataaccesspoint"
"""how condition keys begin by which a bucket leaves it to access points"""


@dataclass(frozen=True)
class Denials:
    """The Denies of the managed policies of one account that Raito did not make."""

    state: PushState

    def reason(self, arn: str, whose: str) -> str | None:
        """Why somebody (`user:NAME` and the like, empty for everybody) keeps a managed policy; None where they may not.

        They could do more without it.
        """
        for kind, name in self._holders(arn, whose):
            again = self.lifted(arn, (kind, name))
            if again is not None:
                return (
                    f"policy {arn.rpartition('/')[2]} denies {kind} {name} what other policies give ({again}), so that "
                    f"they could do more without it: take it from them in AWS if that is meant"
                )
        return None

    def lifted(self, arn: str, holder: Principal) -> str | None:
        """What somebody could do who loses a managed policy, as that denies it now; None where that is nothing."""
        policy = self._by_arn.get(arn)
        if policy is None or made_by_raito(policy.tags):
            return None
        denies = [each for each in read_document(policy.document).statements if each.effect == "Deny"]
        for identities in self._identities_of(holder) if denies else ():
            if any(arn in self._attached[other] for other in identities if other != holder):
                continue  # they have it in another way, too
            documents = [read_document(text) for text in self._documents_of(identities, arn)]
            resources = [each for identity in identities for each in self._naming(identity)]
            allows = [each for document in documents for each in document.statements if each.effect == "Allow"]
            for deny in denies:
                again = self._given_again(deny, [*allows, *resources])
                if again is not None:
                    return again
        return None

    def _holders(self, arn: str, whose: str) -> list[Principal]:
        kind, _, name = whose.partition(":")
        if not whose:
            return sorted(self.state.attached.get(arn, ()))
        if whose.startswith(PERMISSION_SET):
            return [("role", role.role_name) for role in self.state.reserved_roles(name)]
        return [(kind, name)]

    def _identities_of(self, holder: Principal) -> Iterator[list[Principal]]:
        """Whose policies count together, for each who is concerned: of a group its members, with all their groups."""
        kind, name = holder
        users = self.state.members.get(name, ()) if kind == "group" else (name,)
        for user in users:
            known = self.state.users.get(user)
            groups = known.group_names if kind != "role" and known is not None else ()
            yield [("role" if kind == "role" else "user", user), *(("group", group) for group in groups)]

    def _documents_of(self, identities: Iterable[Principal], but: str) -> Iterator[str]:
        """Their policies, also those that options leave out of the import: they give what they give all the same."""
        account = self.state.view.account
        for each in identities:
            left_out = {policy.name: policy.text for policy in account.inline.get(each, ())}
            yield from {**left_out, **self.state.inline.get(each, {})}.values()
            for arn in sorted({*account.managed.get(each, ()), *self._attached[each]} - {but}):
                policy = self._by_arn.get(arn)
                if policy is not None:
                    yield policy.document

    def _naming(self, identity: Principal) -> Iterator[Statement]:
        """The Allows of buckets and access points that name a user or a role, or everybody: they need no policy.

        One that names the account leaves it to the policies of its identities, one about access points to these.
        """
        arn, account_id = self._arns.get(identity), self.state.account_id
        if arn is None:  # a group, which no policy of a resource can name
            return
        for each in self._of_resources:
            if any(condition.key.lower().startswith(_BY_POINTS) for condition in each.conditions):
                continue
            principals = each.principals and tuple(p for p in each.principals if not is_account(p, account_id))
            if reach(replace(each, principals=principals), arn, account_id):
                yield replace(each, principals=None, not_principals=None)

    @cached_property
    def _of_resources(self) -> list[Statement]:
        buckets = (row.policy for row in self.state.view.account.inputs.bucket_policies)
        points = (row.policy for row in self.state.points.points.values())
        documents = (read_document(text) for text in (*buckets, *points) if text)
        return [each for document in documents for each in document.statements if each.effect == "Allow"]

    @cached_property
    def _arns(self) -> dict[Principal, str]:
        users = {("user", name): user.arn for name, user in self.state.users.items()}
        return {**users, **{("role", name): role.arn for name, role in self.state.roles.items()}}

    def _given_again(self, deny: Statement, allows: Iterable[Statement]) -> str | None:
        allowed = replace(deny, effect="Allow", conditions=())
        denied, beyond = self._claims(allowed), any(beyond_data_of(allowed))
        for each in allows:
            if beyond and any(beyond_data_of(each)):
                return next(beyond_data_of(each))
            given = sorted(self._claims(replace(each, conditions=())))
            again = (one for one in given if any(covers(one, other) or covers(other, one) for other in denied))
            first = next(again, None)
            if first is not None:
                return first.permission
        return None

    def _claims(self, statement: Statement) -> Claims:
        return self.state.view.given(statement)[0] | self.state.view.through_points(statement)

    @cached_property
    def _by_arn(self) -> dict[str, IamPolicy]:
        listed = (*self.state.view.account.inputs.policies, *self.state.policies.values())
        return {policy.arn: policy for policy in listed}

    @cached_property
    def _attached(self) -> defaultdict[Principal, set[str]]:
        attached: defaultdict[Principal, set[str]] = defaultdict(set)
        for arn, principals in self.state.attached.items():
            for principal in principals:
                attached[principal].add(arn)
        for role, arns in self.state.reserved.items():
            attached["role", role].update(arns)
        return attached
