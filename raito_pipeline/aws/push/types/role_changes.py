"""The changes of roles: the role, its trust policy and its inline policies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from raito_pipeline.aws.access.external_ids import ROLE
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.changes import NOTHING, Aws, Change, Present, Things, document_text, out_of_points
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.documents.statements import alike, fingerprint, trust_policy
from raito_pipeline.aws.push.owners.ownership import ChangeRefused
from raito_pipeline.aws.push.types.tag_changes import TagObject
from raito_pipeline.model import Tag

ATTACHMENT = "attachment"
"""the kind of changes by which a role (or somebody else) gets or loses a managed policy"""


def role(name: str) -> str:
    """A role as changes name it."""
    return f"{ROLE}{name}"


def inline_name(role_name: str) -> str:
    """The inline policy that holds the what of a role."""
    return f"Raito_Inline_{role_name}"


class CreateRole(Change):
    """A new role with its trust policy."""

    KIND, OPERATION, EFFECT = "role", "create", Effect.GIVES
    NEW_OBJECT = True
    needs = removes = NOTHING

    @property
    def makes(self) -> Things:
        return frozenset({role(self.row.resource)})

    @property
    def intended(self) -> str | None:
        return document_text(self.request().get("AssumeRolePolicyDocument"))

    def current(self, aws: Aws) -> Present:
        return Present(aws.iam.role_trust(self.row.resource))

    def apply(self, aws: Aws) -> None:
        name, request = self.row.resource, self.request()
        trust = document_text(request.pop("AssumeRolePolicyDocument", None))
        if aws.iam.create_role(name, {"AssumeRolePolicyDocument": trust, **request}):
            aws.objects.note_created(role(name))
        else:
            self.take_over(aws)

    def take_over(self, aws: Aws) -> None:
        name = self.row.resource
        aws.objects.take_over(self.row, role(name), lambda: aws.iam.role_tags(name))
        self.require_made(aws)


class DeleteRole(Change):
    """A role goes, with everything that would keep it."""

    KIND, OPERATION, EFFECT = "role", "delete", Effect.REMOVES
    needs = makes = NOTHING

    @property
    def awaits(self) -> Things:
        return frozenset({out_of_points(role(self.row.resource))})

    @property
    def removes(self) -> Things:
        return frozenset({role(self.row.resource)})

    @property
    def holds(self) -> tuple[tuple[str, ...], ...]:
        return ((UpdateTrust.KIND, self.row.resource),)

    def current(self, aws: Aws) -> Present:
        return Present(aws.iam.role_trust(self.row.resource))

    def beside(self, state: PushState) -> list[str] | None:
        """What goes with it."""
        name = self.row.resource
        known = state.roles.get(name)
        given = given_by_role(state, name)
        return None if known is None or known.tags is None or given is None else [*given, *_as_texts(known.tags)]

    def beside_now(self, aws: Aws) -> list[str]:
        name = self.row.resource
        return [*given_by_role_now(aws, name), *_as_texts(aws.iam.role_tags(name) or ())]

    def apply(self, aws: Aws) -> None:
        if _is_ours(self, aws, self.row.resource):
            aws.iam.delete_role(self.row.resource)

    def close(self, aws: Aws) -> None:
        nobody, kind, operation = trust_policy(()), UpdateTrust.KIND, UpdateTrust.OPERATION
        if not alike(self.row.before, nobody):
            row = replace(self.row, kind=kind, operation=operation, after=nobody, beside=None)
            UpdateTrust(row).carry_out(aws)


def given_by_role(state: PushState, name: str) -> list[str] | None:
    """What the plan knows that a role gives to whoever may assume it; None where options left some of it unread."""
    if state.not_read:
        return None
    attached = (arn for arn, who in state.attached.items() if ("role", name) in who)
    return _policies(state.inline.get(("role", name), {}), (*attached, *state.reserved.get(name, ())))


def given_by_role_now(aws: Aws, name: str) -> list[str]:
    """The same as AWS has it now, less what this push writes."""
    iam, objects = aws.iam, aws.objects
    names = (each for each in iam.inline_names(name) if not objects.was_begun((_InlinePolicy.KIND, f"{name}/{each}")))
    attached = set(iam.attached_to_role(name)) - set(objects.begun_of(ATTACHMENT, role(name)))
    return _policies({each: iam.inline_document(name, each) for each in names}, sorted(attached))


def _policies(inline: Mapping[str, str | None], attached: Iterable[str]) -> list[str]:
    policies = [f"inline policy {name} {fingerprint(document)}" for name, document in inline.items()]
    return [*policies, *(f"policy {arn}" for arn in attached)]


def _as_texts(tags: Iterable[Tag]) -> list[str]:
    return [f"tag {tag.key}={tag.value}" for tag in tags]


class UpdateTrust(Change):
    """Others may assume a role."""

    KIND, OPERATION, EFFECT = "role-trust", "update", None
    removes = NOTHING

    @property
    def needs(self) -> Things:
        own = role(self.row.resource)
        # Nobody new gets what the role gave before; and those who lost it are taken out first.
        return frozenset({own} if self.revokes else {own, _what(self.row.resource), _narrowed(self.row.resource)})

    @property
    def makes(self) -> Things:
        return frozenset({_narrowed(self.row.resource)}) if self.revokes else NOTHING

    def current(self, aws: Aws) -> Present:
        return Present(aws.iam.role_trust(self.row.resource))

    def beside(self, state: PushState) -> list[str] | None:
        """What they get who may assume it from now on."""
        return given_by_role(state, self.row.resource) if Effect.GIVES in self.effect else None

    def beside_now(self, aws: Aws) -> list[str]:
        name = self.row.resource
        return [] if aws.objects.was_made(role(name)) else given_by_role_now(aws, name)

    def apply(self, aws: Aws) -> None:
        name = self.row.resource
        _is_ours(self, aws, name)
        aws.iam.set_trust(name, self.document(), fresh=aws.objects.was_made(role(name)))


class TagRole(TagObject):
    """A role says for whom it is."""

    KIND = "role"

    def thing(self) -> str:
        return role(self.row.resource)

    def tags_now(self, aws: Aws) -> tuple[Tag, ...] | None:
        return aws.iam.role_tags(self.row.resource)

    def is_ours(self, aws: Aws) -> bool:
        return _is_ours(self, aws, self.row.resource)

    def add(self, aws: Aws, tags: Sequence[Mapping[str, str]]) -> None:
        aws.iam.tag("role", self.row.resource, tags)


class SetBoundary(Change):
    """A role of Raito gets the permissions boundary that the target asks for; `before` and `after` are its ARN."""

    KIND, OPERATION, EFFECT = "role-boundary", "update", Effect.NEITHER
    makes = removes = NOTHING

    @property
    def title(self) -> str:
        """Also which one it replaces: somebody may have put it there by hand, and it may have limited more."""
        return f"{super().title}{f', in the place of {self.row.before}' if self.row.before else ''}"

    @property
    def needs(self) -> Things:
        return frozenset({role(self.row.resource)})

    def current(self, aws: Aws) -> Present:
        return Present(aws.iam.role_boundary(self.row.resource))

    def apply(self, aws: Aws) -> None:
        if _is_ours(self, aws, self.row.resource):
            aws.iam.set_role_boundary(self.row.resource, self.document())


class _InlinePolicy(Change):
    """An inline policy of a role, named ROLE/POLICY."""

    KIND, OPERATION = "role-inline-policy", ""
    EFFECT: ClassVar[Effect | None] = Effect.NEITHER

    @property
    def needs(self) -> Things:
        name = self.row.resource.partition("/")[0]
        # Nobody who loses the role gets more by it.
        losers = frozenset({_narrowed(name)}) if Effect.GIVES in self.effect else NOTHING
        return frozenset({role(name)}) | losers

    def beside(self, state: PushState) -> list[str] | None:
        """Who may assume the role gets what it gives more."""
        known = state.roles.get(self.row.resource.partition("/")[0])
        gives = Effect.GIVES in self.effect and known is not None
        return [_trusted(known.trust_policy)] if gives and known is not None else None

    def beside_now(self, aws: Aws) -> list[str]:
        name, objects = self.row.resource.partition("/")[0], aws.objects
        if objects.was_made(role(name)) or objects.was_begun((UpdateTrust.KIND, name)):
            return []
        return [_trusted(aws.iam.role_trust(name))]

    @property
    def beside_of(self) -> tuple[str, ...]:
        return ("trust policy", self.row.resource.partition("/")[0])

    @property
    def makes(self) -> Things:
        return frozenset({_inline_policy(self.row.resource), _what(self.row.resource.partition("/")[0])})

    @property
    def awaits(self) -> Things:
        """What Raito writes comes before what the role had beside it goes."""
        name, _, policy = self.row.resource.partition("/")
        own = inline_name(name)
        return frozenset({_inline_policy(f"{name}/{own}")}) if policy != own else NOTHING

    @property
    def removes(self) -> Things:
        return NOTHING

    @property
    def through(self) -> Things:
        return NOTHING  # nobody is added to those who may assume the role

    @property
    def within(self) -> str:
        return role(self.row.resource.partition("/")[0])

    def names(self) -> tuple[str, str]:
        """The role and the policy. Raises `ChangeRefused`."""
        name, slash, policy = self.row.resource.partition("/")
        if not slash or not name or not policy:
            raise ChangeRefused(self.row, "an inline policy is named ROLE/POLICY.")
        return name, policy

    def current(self, aws: Aws) -> Present:
        return Present(aws.iam.inline_document(*self.names()))

    def object_is_there(self, aws: Aws) -> bool:
        return aws.iam.role_trust(self.names()[0]) is not None

    def apply(self, aws: Aws) -> None:
        name, policy = self.names()
        _is_ours(self, aws, name)
        aws.iam.put_inline(name, policy, self.document(), fresh=aws.objects.was_made(role(name)))


class CreateInlinePolicy(_InlinePolicy):
    """A role gives access to something."""

    OPERATION, EFFECT = "create", Effect.GIVES


class UpdateInlinePolicy(_InlinePolicy):
    """A role gives access to something else."""

    OPERATION, EFFECT = "update", None


class DeleteInlinePolicy(_InlinePolicy):
    """An inline policy goes: nothing is granted any more, or what it gave is in Raito's own now."""

    OPERATION, EFFECT = "delete", Effect.TAKES

    @property
    def makes(self) -> Things:
        return frozenset({_what(self.row.resource.partition("/")[0])})

    @property
    def removes(self) -> Things:
        return frozenset({_inline_policy(self.row.resource)})

    def apply(self, aws: Aws) -> None:
        name, policy = self.names()
        if _is_ours(self, aws, name):
            aws.iam.delete_inline(name, policy)


def _trusted(trust_policy: str | None) -> str:
    return f"trust policy {fingerprint(trust_policy)}"


def _what(name: str) -> str:
    """All that a role gives, as changes name it."""
    return f"inline policies of {role(name)}"


def _narrowed(name: str) -> str:
    """The trust policy of a role without those who lost it, as changes name it."""
    return f"narrowed trust policy of {role(name)}"


def _inline_policy(resource: str) -> str:
    return f"role-inline-policy:{resource}"


def _is_ours(change: Change, aws: Aws, name: str) -> bool:
    return aws.objects.is_ours(change.row, role(name), lambda: aws.iam.role_tags(name))
