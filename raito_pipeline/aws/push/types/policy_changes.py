"""The changes of managed policies: the policy, its document, and whom it is attached to."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from raito_pipeline.aws.access.external_ids import POLICY, RESERVED_ROLE, ROLE
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.changes import NOTHING, Aws, Change, Present, Things, document_text
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.documents.statements import fingerprint
from raito_pipeline.aws.push.owners.ownership import ChangeRefused
from raito_pipeline.aws.push.types.role_changes import ATTACHMENT
from raito_pipeline.aws.push.types.tag_changes import TagObject
from raito_pipeline.model import Tag, is_aws_managed

ASSIGNMENT, IN_ACCOUNT = "assignment", "permission-set-in-account"
"""the kinds of changes that bring a permission set into the account, and the policies that it has"""


def policy(name_or_arn: str) -> str:
    """A managed policy as changes name it."""
    return f"{POLICY}{name_or_arn.rpartition('/')[2]}"


def what_of(name_or_arn: str) -> str:
    """The document of a managed policy as changes name it."""
    return f"document of {policy(name_or_arn)}"


def losers_of(name_or_arn: str) -> str:
    """Those who lost a managed policy, as changes name them."""
    return f"those who lost {policy(name_or_arn)}"


def given_by(state: PushState, arn: str) -> list[str] | None:
    """What the plan knows that a managed policy gives: of the account by its document, of AWS by its version.

    None for one that is new.
    """
    known = state.policy(arn)
    if known is None:
        return None
    return [_version(known.default_version_id) if known.aws_managed else f"document {fingerprint(known.document)}"]


def given_by_now(aws: Aws, arn: str) -> list[str]:
    """The same as AWS has it now; nothing where this push wrote it."""
    if aws.objects.was_made(policy(arn)) or aws.objects.was_begun((NewPolicyVersion.KIND, arn)):
        return []
    if not is_aws_managed(arn):
        return [f"document {fingerprint(_document(aws, arn).document)}"]
    try:
        version = aws.iam.policy_version(arn)
    except aws.no_answer:
        return []  # nobody in the account can change it: it is no reason to grant nothing
    return [] if version is None else [_version(version)]


def _version(version_id: str) -> str:
    return f"version {version_id}"


class CreatePolicy(Change):
    """A new managed policy, which nobody has yet."""

    KIND, OPERATION, EFFECT = "policy", "create", Effect.NEITHER
    NEW_OBJECT = True
    needs = removes = NOTHING

    @property
    def makes(self) -> Things:
        return frozenset({policy(self.row.resource)})

    @property
    def intended(self) -> str | None:
        return document_text(self.request().get("PolicyDocument"))

    def current(self, aws: Aws) -> Present:
        return _document(aws, self._arn(aws))

    def apply(self, aws: Aws) -> None:
        name, request = self.row.resource, self.request()
        document = document_text(request.pop("PolicyDocument", None))
        if aws.iam.create_policy(name, {"PolicyDocument": document, **request}):
            aws.objects.note_created(policy(name))
        else:
            self.take_over(aws)

    def take_over(self, aws: Aws) -> None:
        arn = self._arn(aws)
        aws.objects.take_over(self.row, policy(self.row.resource), lambda: aws.iam.policy_tags(arn))
        self.require_made(aws)

    def _arn(self, aws: Aws) -> str:
        return aws.iam.arn("policy", self.row.resource, str(self.request().get("Path", "/")))


class DeletePolicy(Change):
    """A managed policy goes, with its versions and from everybody who has it."""

    KIND, OPERATION, EFFECT = "policy", "delete", Effect.REMOVES
    needs = makes = NOTHING

    @property
    def removes(self) -> Things:
        return frozenset({policy(self.row.resource)})

    @property
    def holds(self) -> tuple[tuple[str, ...], ...]:
        return ((NewPolicyVersion.KIND, self.row.resource),)

    def current(self, aws: Aws) -> Present:
        return _document(aws, self.row.resource)

    def beside(self, state: PushState) -> list[str] | None:
        """Who has it loses it."""
        arn = self.row.resource
        hidden = state.not_read and state.policy(arn) is None
        return None if hidden else [f"{kind}:{name}" for kind, name in state.attached.get(arn, ())]

    def beside_now(self, aws: Aws) -> list[str]:
        return [f"{kind}:{name}" for kind, name in aws.iam.holders(self.row.resource)]

    @property
    def frees(self) -> tuple[str, str]:
        return self.row.resource, ""

    def apply(self, aws: Aws) -> None:
        if _is_ours(self, aws):
            aws.iam.delete_policy(self.row.resource)


class NewPolicyVersion(Change):
    """A managed policy gives access to something else."""

    KIND, OPERATION, EFFECT = "policy-version", "create", None
    removes = NOTHING
    through = NOTHING  # nobody is added to those who have it

    @property
    def needs(self) -> Things:
        # Nobody who loses it gets more by it.
        losers = frozenset({losers_of(self.row.resource)}) if Effect.GIVES in self.effect else NOTHING
        return frozenset({policy(self.row.resource)}) | losers

    def current(self, aws: Aws) -> Present:
        return _document(aws, self.row.resource)

    @property
    def makes(self) -> Things:
        return frozenset({what_of(self.row.resource)})

    def beside(self, state: PushState) -> list[str] | None:
        """Who has it gets what it gives more."""
        arn = self.row.resource
        if Effect.GIVES not in self.effect or (state.not_read and state.policy(arn) is None):
            return None
        attached = [f"{kind}:{name}" for kind, name in state.attached.get(arn, ())]
        return [*attached, *(f"{ROLE}{name}" for name in state.reserved_with(arn))]

    def beside_now(self, aws: Aws) -> list[str]:
        arn, objects = self.row.resource, aws.objects
        if objects.was_made(policy(arn)):
            return []
        holders = (f"{kind}:{name}" for kind, name in aws.iam.holders(arn, reserved=True))
        return [each for each in holders if not objects.was_begun((ATTACHMENT, each, arn)) and not _comes(aws, each)]

    def apply(self, aws: Aws) -> None:
        _is_ours(self, aws)
        fresh = aws.objects.was_made(policy(self.row.resource))
        aws.iam.new_version(self.row.resource, self.document(), fresh=fresh)


class TagPolicy(TagObject):
    """A managed policy says for whom it is."""

    KIND = "policy"

    def thing(self) -> str:
        return policy(self.row.resource)

    def tags_now(self, aws: Aws) -> tuple[Tag, ...] | None:
        return aws.iam.policy_tags(self.row.resource)

    def is_ours(self, aws: Aws) -> bool:
        return _is_ours(self, aws)

    def add(self, aws: Aws, tags: Sequence[Mapping[str, str]]) -> None:
        aws.iam.tag("policy", self.row.resource, tags)


class _Attachment(Change):
    """A managed policy and a principal, `user:NAME`, `group:NAME` or `role:NAME`, that has it."""

    KIND, OPERATION, EFFECT = ATTACHMENT, "", Effect.NEITHER
    OVERWRITES = False
    removes = NOTHING

    @property
    def makes(self) -> Things:
        return NOTHING

    @property
    def arn(self) -> str | None:
        """The policy."""
        return self.row.after or self.row.before

    @property
    def place(self) -> tuple[str, ...]:
        return (*super().place, self.arn or "")

    @property
    def needs(self) -> Things:
        return frozenset({self.row.resource, policy(self.arn or "")})

    @property
    def through(self) -> Things:
        return frozenset({policy(self.arn or "")})

    @property
    def alters(self) -> Things:
        return frozenset({self.row.resource})

    def names(self) -> tuple[str, str, str]:
        """The kind and the name of the principal, and the ARN of the policy. Raises `ChangeRefused`."""
        kind, colon, name = self.row.resource.partition(":")
        if not colon or not name or kind not in ("user", "group", "role") or not self.arn:
            reason = "an attachment names user:NAME, group:NAME or role:NAME and the ARN of a policy."
            raise ChangeRefused(self.row, reason)
        return kind, name, self.arn

    def current(self, aws: Aws) -> Present:
        kind, name, arn = self.names()
        return Present(arn if aws.iam.has_attached(kind, name, arn) else None)

    def object_is_there(self, aws: Aws) -> bool:
        return aws.iam.policy_version(self.names()[2]) is not None

    def apply(self, aws: Aws) -> None:
        kind, name, arn = self.names()
        fresh = aws.objects.was_made(self.row.resource) or aws.objects.was_made(policy(arn))
        aws.iam.attach(kind, name, arn, fresh=fresh)


class AttachPolicy(_Attachment):
    """Somebody gets a managed policy."""

    OPERATION, EFFECT = "attach", Effect.GIVES

    @property
    def arn(self) -> str | None:
        return self.row.after

    @property
    def needs(self) -> Things:
        # Nobody new gets what the policy gave before.
        return super().needs | {what_of(self.arn or "")}

    def beside(self, state: PushState) -> list[str] | None:
        return given_by(state, self.arn or "")

    def beside_now(self, aws: Aws) -> list[str]:
        return given_by_now(aws, self.arn or "")

    @property
    def beside_of(self) -> tuple[str, ...]:
        return ("given by", self.arn or "")


class DetachPolicy(_Attachment):
    """Somebody loses a managed policy."""

    OPERATION, EFFECT = "detach", Effect.TAKES

    @property
    def arn(self) -> str | None:
        return self.row.before

    @property
    def makes(self) -> Things:
        return frozenset({losers_of(self.arn or "")})

    @property
    def frees(self) -> tuple[str, str]:
        return self.arn or "", self.row.resource

    def apply(self, aws: Aws) -> None:
        aws.iam.detach(*self.names())


class _ReplacedInline(Change):
    """An inline policy of a user or a group that an access control was imported of, named `user:NAME/POLICY`."""

    KIND, OPERATION = "inline-policy", ""
    EFFECT: ClassVar[Effect | None] = Effect.NEITHER
    makes = NOTHING

    @property
    def needs(self) -> Things:
        return frozenset({self.row.resource.partition("/")[0]})

    @property
    def removes(self) -> Things:
        return NOTHING

    def names(self, aws: Aws) -> tuple[str, str, str]:
        """Its owner, a `user` or a `group` by name, and the policy. Raises `ChangeRefused` where it is not named."""
        principal, slash, name = self.row.resource.partition("/")
        kind, _, who = principal.partition(":")
        owned, _, listed = aws.objects.external_id(self.row).partition("|inline:")
        if not slash or owned != principal or name not in listed.split("|") or kind not in ("user", "group"):
            raise ChangeRefused(self.row, "the access control was not imported of it. Nothing was changed.")
        return kind, who, name

    def current(self, aws: Aws) -> Present:
        return Present(aws.iam.inline_document_of(*self.names(aws)))

    def apply(self, aws: Aws) -> None:
        aws.iam.put_inline_of(*self.names(aws), self.document())


class NarrowReplacedInline(_ReplacedInline):
    """It gives only what is still granted, and what Raito Cloud does not see."""

    OPERATION, EFFECT = "update", None


class ReduceReplacedInline(_ReplacedInline):
    """It gives only what Raito Cloud does not see, as a managed policy gives the rest."""

    OPERATION, EFFECT = "reduce", Effect.REMOVES


class DeleteReplacedInline(_ReplacedInline):
    """It goes: at once, or for the policy in `after`."""

    OPERATION, EFFECT = "delete", Effect.TAKES

    @cached_property
    def effect(self) -> Effect:
        return Effect.TAKES if self.row.after is None else Effect.REMOVES

    @property
    def removes(self) -> Things:
        return frozenset({f"inline-policy:{self.row.resource}"})

    @property
    def intended(self) -> str | None:
        return None

    def apply(self, aws: Aws) -> None:
        aws.iam.delete_inline_of(*self.names(aws))


def _comes(aws: Aws, holder: str) -> bool:
    """True for the role of a permission set that this push brings into the account, by changes of its own."""
    match = RESERVED_ROLE.fullmatch(holder.removeprefix(ROLE))
    return match is not None and any(
        aws.objects.has_begun(kind, match["permission_set"]) for kind in (ASSIGNMENT, IN_ACCOUNT)
    )


def _document(aws: Aws, arn: str) -> Present:
    """The document of a managed policy that is in force."""
    document = aws.iam.policy_document(arn)
    return Present(None if document is None else document_text(document))


def _is_ours(change: Change, aws: Aws) -> bool:
    arn, account = change.row.resource, aws.objects.account_id
    if f"::{account}:policy/" not in arn:
        raise ChangeRefused(change.row, f"it is no managed policy of account {account}. Nothing was changed.")
    return aws.objects.is_ours(change.row, policy(arn), lambda: aws.iam.policy_tags(arn))
