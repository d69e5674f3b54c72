"""Managed policies of IAM: who by attachments, what by the document."""

from collections.abc import Iterator

from raito_pipeline.aws.access import external_ids
from raito_pipeline.aws.access.policies import TYPE, managed_providers
from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.provider_types.declaration import AccessProviderType, Target
from raito_pipeline.aws.provider_types.iam_rights import no_rights, read_iam
from raito_pipeline.aws.push.names import IAM
from raito_pipeline.aws.push.pushed_types import PushedType
from raito_pipeline.aws.push.types.policies import delete_policy, kept_policy_name, plan_policy
from raito_pipeline.aws.push.types.policy_changes import (
    AttachPolicy,
    CreatePolicy,
    DeletePolicy,
    DeleteReplacedInline,
    DetachPolicy,
    NarrowReplacedInline,
    NewPolicyVersion,
    ReduceReplacedInline,
    TagPolicy,
)
from raito_pipeline.config import AccountTarget
from raito_pipeline.model.provider_types import TypeDescription


def _read_rights(target: Target) -> Iterator[Right]:
    yield from read_iam(target)
    if isinstance(target, AccountTarget) and target.imports_managed_policies:
        yield Right("ReadPolicyTags", ("iam:ListPolicyTags",), (f"arn:aws:iam::{target.account_id}:policy/*",))


def _push_rights(target: AccountTarget) -> Iterator[Right]:
    account = f"arn:aws:iam::{target.account_id}"
    yield Right(
        "PushPolicies",
        (
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:ListEntitiesForPolicy",
            "iam:ListPolicyVersions",
            "iam:TagPolicy",
        ),
        (f"{account}:policy/*",),
    )
    # AWS changes its own policies: what is attached is compared with what the plan showed.
    yield Right("LookAtPoliciesOfAws", ("iam:GetPolicy",), ("arn:aws:iam::aws:policy/*",))
    for kind in ("user", "group", "role"):
        title = kind.title()
        actions = (f"iam:Attach{title}Policy", f"iam:Detach{title}Policy", f"iam:ListAttached{title}Policies")
        yield Right(f"Attach{title}", actions, (f"{account}:{kind}/*",))
    for kind in ("user", "group"):
        # What was imported of inline policies becomes a managed policy.
        inline = tuple(f"iam:{verb}{kind.title()}Policy" for verb in ("Get", "Put", "Delete"))
        yield Right(f"Replace{kind.title()}Inline", inline, (f"{account}:{kind}/*",))


MANAGED_POLICY = AccessProviderType(
    name="managed policy",
    description=TypeDescription(
        type=TYPE,
        label="AWS Policy",
        can_be_created=True,
        can_be_assumed=False,
        assumable_in_who=True,
        common_parent=None,
        identity_store=None,
        organization_only=False,
    ),
    external_id_prefix=external_ids.POLICY,
    read=managed_providers,
    keeps_named=True,
    read_rights=_read_rights,
    push=PushedType(
        order=2,
        naming=IAM,
        affixes=lambda options: (options.aws_policy_prefix, options.aws_policy_suffix),
        kept_name=kept_policy_name,
        plan=plan_policy,
        delete=delete_policy,
        creates=CreatePolicy,
        deletes=DeletePolicy,
        others=(
            TagPolicy,
            NewPolicyVersion,
            AttachPolicy,
            DetachPolicy,
            NarrowReplacedInline,
            ReduceReplacedInline,
            DeleteReplacedInline,
        ),
        named=str,
        rights=_push_rights,
        organization_rights=no_rights,
    ),
)
