"""A throw-away access provider type in one object: everything that depends on the type follows from it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.aws.access import build_access_providers
from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import TracedProvider, TracedWhat
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.provider_types import (
    ACCESS_PROVIDER_TYPES,
    AccessProviderType,
    BadType,
    ProviderTypes,
    SameAs,
)
from raito_pipeline.aws.provider_types.declaration import Target
from raito_pipeline.aws.push.changes import NOTHING, Aws, Change, Things
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.draft import Draft, Plans
from raito_pipeline.aws.push.names import NamingRule
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.aws.push.pushed_types import NotPushedYet, PushedType
from raito_pipeline.aws.push.rules.losses import HeldBack, Limits, held_back
from raito_pipeline.config import load
from raito_pipeline.config.groups import AccessOptions, PushOptions
from raito_pipeline.model import DataObjectReference, WhatItem
from raito_pipeline.model.provider_types import TypeDescription
from raito_pipeline.raito.metadata import access_provider_types
from tests.aws.access.conftest import Told as ToldAccount
from tests.aws.push.exported import control, policy_control, state
from tests.aws.push.test_least_policy import FILE

PREFIX = "vault:"


class CreateVault(Change):
    KIND, OPERATION, EFFECT = "vault", "create", Effect.GIVES
    needs = removes = NOTHING

    @property
    def makes(self) -> Things:
        return frozenset({f"{PREFIX}{self.row.resource}"})

    def apply(self, aws: Aws) -> None:
        aws.objects.note_created(f"{PREFIX}{self.row.resource}")

    def current(self, aws: Aws) -> None:
        del aws


class DeleteVault(Change):
    KIND, OPERATION, EFFECT = "vault", "delete", Effect.REMOVES
    needs = makes = NOTHING

    @property
    def removes(self) -> Things:
        return frozenset({f"{PREFIX}{self.row.resource}"})

    def apply(self, aws: Aws) -> None:
        assert aws.objects.account_id

    def current(self, aws: Aws) -> None:
        del aws


def _read(account: Account, named: Collection[str]) -> Iterator[TracedProvider]:
    what = (WhatItem(DataObjectReference(account.inputs.account_id, "datasource"), ("s3:GetObject",)),)
    who = WhoNames(("ada",), (), None, ())
    yield access_provider(
        external_id=f"{PREFIX}one",
        name="one",
        type="aws_vault",
        policy="{}",
        who=who,
        what=TracedWhat(what),
        reasons=[Reason(Code.WHO, each) for each in sorted(named)],
    )


def _plan(plans: Plans, draft: Draft) -> None:
    draft.external_id = f"{PREFIX}{draft.name}"
    draft.change(CreateVault, draft.name, f"granted in {plans.state.account_id}", after="{}")


def _delete(plans: Plans, draft: Draft) -> None:
    draft.change(DeleteVault, plans.existing(draft.control, PREFIX) or "", "removed", before="{}")


def _read_rights(target: Target) -> Iterator[Right]:
    yield Right("ReadVaults", ("vault:List",), (f"arn:aws:vault:::{target.name}",))


VAULT = AccessProviderType(
    name="vault",
    description=TypeDescription(
        type="aws_vault",
        label="AWS Vault",
        can_be_created=True,
        can_be_assumed=True,
        assumable_in_who=False,
        common_parent="bucket",
        identity_store=None,
        organization_only=False,
    ),
    external_id_prefix=PREFIX,
    read=_read,
    keeps_named=False,
    read_rights=_read_rights,
    push=PushedType(
        order=-1,
        naming=NamingRule(characters="a-z-", split="-", hint=20, longest=20, lower_case=True),
        affixes=lambda _options: ("v-", ""),
        kept_name=lambda _plans, _control, current: current,
        plan=_plan,
        delete=_delete,
        creates=CreateVault,
        deletes=DeleteVault,
        others=(),
        named=str,
        organization_rights=lambda _target: (),
        rights=lambda _target: [Right("PushVaults", ("vault:Create",), ("*",))],
    ),
)
TYPES = ACCESS_PROVIDER_TYPES.with_type(VAULT)


def test_raito_cloud_is_told_of_it() -> None:
    *_, vault = access_provider_types(TYPES.descriptions, organization=True)
    assert vault == {
        "type": "aws_vault",
        "label": "AWS Vault",
        "isNamedEntity": True,
        "canBeCreated": True,
        "canBeAssumed": True,
        "commonParentType": "bucket",
    }
    policy = next(
        each for each in access_provider_types(TYPES.descriptions, organization=False) if each["type"] == "aws_policy"
    )
    assert policy["allowedWhoAccessProviderTypes"] == ["aws_role", "aws_vault"]


def test_it_is_imported_beside_the_others() -> None:
    told = ToldAccount().user("ada").role("jobs").policy("p", READ_ALL, "role:jobs")
    rows = build_access_providers(told.inputs(), AccessOptions(), TYPES.imported)
    assert [row.external_id for row in rows] == ["policy:p", "role:jobs", "vault:one"]
    assert rows[2].incomplete_reasons == ("role:jobs",), "those that others name are read after them"


READ_ALL = '{"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'


def test_it_is_planned_in_its_place_and_its_deletions_count() -> None:
    controls = [
        policy_control("p"),
        control("Big Vault", type="aws_vault", position=1),
        control("old", type="aws_vault", external_id="vault:v-old", delete=True, position=2),
    ]
    plan = plan_push(controls, state(), PushOptions(), TYPES.push)
    assert [(row.operation, row.kind, row.resource) for row in plan.changes][:2] == [
        ("delete", "vault", "v-old"),
        ("create", "vault", "v-big-vault"),
    ]
    assert plan.targets[1].external_id == "vault:v-big-vault"
    changes = TYPES.push.changes(plan.changes)
    assert [change.effect for change in changes[:2]] == [Effect.REMOVES, Effect.GIVES]
    assert "take access 1 times" in held_back(changes, controls, Limits(0)).reason
    assert held_back(changes, controls, Limits(1)) == HeldBack()


def test_the_least_policy_has_its_rights(tmp_path: Path) -> None:
    (tmp_path / "raito.yml").write_text(FILE)
    (target,) = load(tmp_path / "raito.yml").accounts
    read, push = (
        {statement["Sid"]: statement for statement in least_policy(target, mode, types=TYPES)["Statement"]}
        for mode in ("read", "push")
    )
    assert push.keys() - read.keys() >= {"PushVaults"}
    assert read["ReadVaults"] == {
        "Sid": "ReadVaults",
        "Effect": "Allow",
        "Action": ["vault:List"],
        "Resource": ["arn:aws:vault:::one"],
    }


# -- what does not load --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [AccessProviderType, PushedType, TypeDescription])
def test_a_type_that_lacks_a_part_does_not_load(kind: type[Any]) -> None:
    whole: dict[type[Any], Any] = {
        AccessProviderType: VAULT,
        PushedType: VAULT.push,
        TypeDescription: VAULT.description,
    }
    parts = {field.name: getattr(whole[kind], field.name) for field in fields(kind)}
    for name in parts:
        with pytest.raises(TypeError, match=name):
            kind(**{part: value for part, value in parts.items() if part != name})


@pytest.mark.parametrize("part", ["KIND", "OPERATION", "EFFECT", "needs", "makes", "removes", "apply", "current"])
def test_a_change_that_lacks_a_part_does_not_load(part: str) -> None:
    body: dict[str, Any] = {"KIND": "vault", "OPERATION": "lock", "EFFECT": Effect.TAKES}
    body |= {"needs": NOTHING, "makes": NOTHING, "removes": NOTHING}
    body |= {"apply": lambda _self, _aws: None, "current": lambda _self, _aws: None}
    assert type("Whole", (Change,), body)
    with pytest.raises(TypeError, match=f"LockVault lacks {part}"):
        type("LockVault", (Change,), {name: value for name, value in body.items() if name != part})


def test_a_change_that_is_made_without_a_look_at_aws_does_not_load() -> None:
    with pytest.raises(TypeError, match="Hasty has a carry_out of its own"):
        type("Hasty", (CreateVault,), {"carry_out": lambda _self, _aws: None})


def _with_push(**changes: Any) -> AccessProviderType:
    assert isinstance(VAULT.push, PushedType)
    return replace(VAULT, push=replace(VAULT.push, **changes))


class _NoOperation(CreateVault):
    OPERATION = ""


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: replace(VAULT, name="role"), "name 'role'"),
        (lambda: replace(VAULT, external_id_prefix="policy:"), "external id prefix 'policy:'"),
        (lambda: replace(VAULT, external_id_prefix="vault"), "ends in ':'"),
        (lambda: replace(VAULT, name=""), "needs a name"),
        (lambda: replace(VAULT, description=SameAs("aws_safe")), "'aws_safe', which is none"),
        (lambda: replace(VAULT, push=SameAs("aws_safe")), "'aws_safe', which is none"),
        (lambda: _with_push(others=(CreateVault,)), "change 'create vault'"),
        (lambda: _with_push(creates=_NoOperation), "_NoOperation is not a whole change"),
        (lambda: _with_push(deletes=Change), "Change is not a whole change"),
    ],
)
def test_a_type_that_does_not_fit_is_refused(make: Callable[[], AccessProviderType], part: str) -> None:
    with pytest.raises(BadType, match=part):
        ACCESS_PROVIDER_TYPES.with_type(make())


def test_two_types_of_one_kind_are_refused() -> None:
    with pytest.raises(BadType, match="type 'aws_vault'"):
        ProviderTypes(VAULT, replace(VAULT, name="other", external_id_prefix="other:"))


def test_a_type_that_cannot_be_pushed_yet_says_so_in_one_place() -> None:
    types = ACCESS_PROVIDER_TYPES.with_type(replace(VAULT, push=NotPushedYet("vaults")))
    (target,) = plan_push([control("a", type="aws_vault")], state(), PushOptions(), types.push).targets
    assert target.errors == ("vaults cannot be pushed yet; nothing new is made",)
