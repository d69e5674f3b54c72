"""Reads the list `targets`: names, selection, each target's options, and the rules that tie options together.

A target is read into a `TargetDraft`; the frozen objects are built only when the whole file is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from raito_pipeline.config import kinds, names
from raito_pipeline.config.deferred import Deferred
from raito_pipeline.config.discovered import Discovered, DiscoveredEntry
from raito_pipeline.config.document import Items, Node, Scalar, Section
from raito_pipeline.config.environment import Environment
from raito_pipeline.config.groups import Locks, OrganizationLink
from raito_pipeline.config.option import Declared, declared
from raito_pipeline.config.options import (
    ACCOUNT_CONNECTOR,
    ORGANIZATION_CONNECTOR,
    AccountTarget,
    OrganizationTarget,
    Shared,
)
from raito_pipeline.config.problems import Problem, shown
from raito_pipeline.config.profiles import doubts, profile_region
from raito_pipeline.config.reading import OptionLayer, Reader, is_placeholder
from raito_pipeline.config.regions import aws_partition
from raito_pipeline.config.spelling import closest, distance, nearest
from raito_pipeline.first_few import first_few

_MODELS: Mapping[str, type[AccountTarget] | type[OrganizationTarget]] = {
    ACCOUNT_CONNECTOR: AccountTarget,
    ORGANIZATION_CONNECTOR: OrganizationTarget,
}
_SHARED = frozenset(option.attribute for option in declared(Shared))
_LOGIN = ("api_user", "api_secret")
_SOURCE_STAGES = frozenset({"skip_data_source_sync", "skip_data_access_sync", "skip_data_usage_sync"})
_IDENTITY_STAGES = frozenset({"skip_identity_store_sync"})
_KEPT = (
    "account_id",
    "data_source_id",
    "identity_store_id",
    "aws_s3_cloudtrail_bucket",
    *_SOURCE_STAGES,
    *_IDENTITY_STAGES,
)
_MOST_CLOSED = 10
_OWNER, _PLUGIN = "raito-io", "cli-plugin-"
_ONE_EACH = "another one, since each sync removes what the other imported"
_BOTH_SOURCES = "aws-s3-enabled, aws-glue-enabled"


@dataclass
class TargetDraft:
    """A target as it was read: attribute -> value, by group of options. Values that could not be read are `WRONG`."""

    name: str
    connector: str
    own: OptionLayer
    layers: tuple[OptionLayer, ...] = field(repr=False)
    selected: bool = True
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    locks: dict[str, Any] = field(default_factory=dict)
    link: dict[str, Any] | None = None
    discovered: DiscoveredEntry | None = None

    @property
    def target_layers(self) -> tuple[OptionLayer, ...]:
        """Where the options of targets are looked for: in the target, and in what discovered ones share."""
        return (self.own,) if self.discovered is None else (self.own, self.discovered.shared)

    @property
    def line(self) -> int | None:
        return self.own.section.line

    @property
    def is_account(self) -> bool:
        return self.connector == ACCOUNT_CONNECTOR

    @property
    def skipped(self) -> frozenset[str]:
        """The stages that are left out, by the attribute that says so. One that cannot be read counts as left out."""
        values = self.values
        without = (
            {"skip_data_usage_sync"} if self.is_account and values.get("aws_s3_cloudtrail_bucket") is None else set()
        )
        stages = _SOURCE_STAGES | _IDENTITY_STAGES
        return frozenset(without | {stage for stage in stages if values.get(stage, False) is not False})

    def id_of(self, attribute: str) -> str | None:
        """The id in `attribute`, or None where it is absent, cannot be read or is a placeholder."""
        given = self.values.get(attribute)
        return given if isinstance(given, str) and not is_placeholder(given) else None

    def problem(self, option: str, found: str, expected: str | None) -> Problem:
        """A problem of this target, in the option's line where it has one."""
        line = self.own.section.lines.get(option, self.line)
        return Problem(self.own.file, line, self.name, option, found, expected)

    def account(self, partition: str) -> AccountTarget:
        link = None if self.link is None else OrganizationLink(**self.link)
        discovered = self.discovered is not None
        return AccountTarget(**self._common(), organization=link, partition=partition, discovered=discovered)

    def organization(self) -> OrganizationTarget:
        return OrganizationTarget(**self._common())

    def membership(self) -> Iterator[tuple[str, OrganizationLink]]:
        """The account's id and how it links its organization, as far as both can be read."""
        account, link = self.id_of("account_id"), self.link or {}
        whole = all(isinstance(link.get(option.attribute), str) for option in declared(OrganizationLink))
        if account is not None and whole:
            yield account, OrganizationLink(**link)

    def _common(self) -> dict[str, Any]:
        locks = dict(self.locks)
        older = locks.get("make_not_internalizable", ())
        if older:  # the older name of fully-lock-by-name counts like the newer one
            locks["fully_lock_by_name"] = (*locks.get("fully_lock_by_name", ()), *older)
        given = {"name": self.name, "connector_name": self.connector, "line": self.line, "locks": Locks(**locks)}
        deferred = tuple(value for value in self.values.values() if isinstance(value, Deferred))
        values = {name: value for name, value in self.values.items() if not isinstance(value, Deferred)}
        return {**values, **given, "deferred": deferred}


@dataclass
class TargetsReader:
    """Reads the targets of one file. `over` and `top` are the layers of the command line and of the whole file."""

    reader: Reader
    over: OptionLayer
    top: OptionLayer
    env: Environment
    home: Path
    discovered: Discovered | None = None

    def drafts(self, only: Sequence[str], skip_authentication: bool) -> list[TargetDraft]:
        """All targets of the two AWS connectors, those that `only` leaves out marked and read without complaints.

        Targets that are left out are read because they keep partition keys the same, whatever is selected.
        """
        drafts = list(self._named())
        if only:
            self._select(drafts, only)
        known = [draft for draft in drafts if self._is_known(draft)]
        for draft in known:
            reader = self.reader if draft.selected else Reader(self.reader.environ)
            _TargetReader(draft, reader, self.home, skip_authentication).read()
            if not draft.selected and reader.problems:
                draft.values = {name: draft.values[name] for name in _KEPT if name in draft.values}
        known = [*self._reached(known)]
        self._check_shared_sources(known)
        self._warn_of_shared_people([draft for draft in known if draft.selected])
        self._warn_of_same_organizations(known)
        return known

    # -- the list ----------------------------------------------------------------------------------------------------

    def _named(self) -> Iterator[TargetDraft]:
        node = self.top.section.get("targets")
        if node is None and self.discovered is not None:
            node = Items((), None)
        if not isinstance(node, Items) or not (node.items or self.discovered):
            line = self.top.section.lines.get("targets")
            expected = "a list of at least one target, each beginning with `- `"
            self._wrong(line, None, "targets", _in_place_of_targets(node), expected)
            return
        taken: dict[str, int | None] = {}
        for item in node.items:
            if not isinstance(item, Section):
                self._wrong(item.line, None, "targets", "an entry without options", "a target with its options")
                continue
            layer = OptionLayer(self.top.file, item, _written_name(item))
            connector = self._connector(layer)
            name = self._name(layer, connector, taken)
            if connector is not None:
                own = OptionLayer(self.top.file, item, name)
                layers = (self.over, *self.env.skips, own, *self.env.top, self.top)
                yield TargetDraft(name, connector, own, layers)
        for entry in () if self.discovered is None else self.discovered.entries:
            connector = self._connector(entry.own)
            name = self._name(entry.own, connector, taken)
            if connector is not None:
                own = OptionLayer(entry.own.file, entry.own.section, name)
                layers = (self.over, *self.env.skips, own, entry.shared, *self.env.top, self.top)
                yield TargetDraft(name, connector, own, layers, discovered=entry)

    def _reached(self, drafts: Sequence[TargetDraft]) -> Iterator[TargetDraft]:
        """The drafts; a discovered one with its way to its account, and none of an account that the file names."""
        self._warn_of_closed()
        named = {draft.values.get("account_id") for draft in drafts if draft.is_account and draft.discovered is None}
        organizations = [draft.values for draft in drafts if not draft.is_account]
        for draft in drafts:
            if draft.discovered is None or self.discovered is None:
                yield draft
            elif draft.values.get("account_id") not in named:
                draft.values["closed"] = draft.discovered.closed
                _reach(draft, self.discovered, organizations)
                yield draft

    def _warn_of_closed(self) -> None:
        """All closed accounts in one line: an organization may have many."""
        if self.discovered is None:
            return
        closed = [entry.account_id for entry in self.discovered.entries if entry.closed]
        if closed:
            found = f"accounts that are closed, and so not synced any more: {first_few(closed, _MOST_CLOSED)}"
            expected = "`raito-pipeline forget ACCOUNT` where what is stored of one can go"
            self.reader.warn(Problem(self.discovered.file, None, None, "closed", found, expected))

    def _connector(self, layer: OptionLayer) -> str | None:
        text = self.reader.text(kinds.CONNECTOR, layer, "connector-name")
        if text is None:
            expected = " or ".join(_MODELS)
            self._wrong(layer.section.line, layer.target, "connector-name", "nothing", expected)
        return text.lower() if isinstance(text, str) else None

    def _name(self, layer: OptionLayer, connector: str | None, taken: dict[str, int | None]) -> str:
        """The target's name; a repeated one is a problem, but a name made of the connector's is made different."""
        given = self.reader.text(kinds.NAME, layer, "name")
        if isinstance(given, str):
            line = layer.section.lines["name"]
            if given in taken:
                found = f"{shown(given)} a second time (first in line {taken[given]})"
                self._wrong(line, given, "name", found, "each target to have its own name")
            taken.setdefault(given, line)
            return given
        base = connector or "target"
        others = (f"{base} ({number})" for number in range(2, len(taken) + 3))
        name = base if base not in taken else next(name for name in others if name not in taken)
        taken[name] = layer.section.line
        return name

    def _select(self, drafts: Sequence[TargetDraft], only: Sequence[str]) -> None:
        known = [draft.name for draft in drafts]
        layers = (self.over, *self.env.top, self.top)
        layer = next(layer for layer in layers if layer.section.get("only-targets") is not None)
        for name in only:
            if name not in known:
                line = layer.section.lines["only-targets"] or None
                expected = f"names of targets of this file: {', '.join(known)}"
                self.reader.wrong(Problem(layer.file, line, None, "only-targets", shown(name), expected))
        for draft in drafts:
            draft.selected = draft.name in only

    def _is_known(self, draft: TargetDraft) -> bool:
        if draft.connector in _MODELS:
            return True
        if draft.selected:
            meant = _meant_connector(draft.connector)
            if meant is not None:
                found = f"{shown(draft.connector)}, which is no connector that the pipeline knows"
                self.reader.wrong(draft.problem("connector-name", found, f"perhaps `{meant}`"))
                return False
            found = f"the connector {shown(draft.connector)}, which the pipeline does not know; the target is skipped"
            self.reader.warn(draft.problem("connector-name", found, f"{' or '.join(_MODELS)} for a target to sync"))
        return False

    def _check_shared_sources(self, drafts: Sequence[TargetDraft]) -> None:
        """Two targets never do the same stage of one data source: each would remove what the other imported."""
        first: dict[tuple[str, str], TargetDraft] = {}
        for draft in sorted(drafts, key=lambda draft: not draft.selected):
            source = draft.id_of("data_source_id")
            if source is None or not draft.is_account:
                continue
            stages = [(source, stage) for stage in sorted(_SOURCE_STAGES - draft.skipped)]
            other = next((first[stage] for stage in stages if stage in first), None)
            if other is not None and other.selected:
                found = f'the data source of the target "{other.name}"'
                problem = draft.problem("data-source-id", found, _ONE_EACH)
                (self.reader.wrong if draft.selected else self.reader.warn)(problem)
            for stage in stages:
                first.setdefault(stage, draft)

    def _warn_of_shared_people(self, drafts: Sequence[TargetDraft]) -> None:
        """Who sends other users into one identity store, accounts and organizations: said once a store, since many can
        share it."""
        first: dict[str, TargetDraft] = {}
        told: set[str] = set()
        for draft in drafts:
            store = draft.id_of("identity_store_id")
            if store is None or store in told or not _IDENTITY_STAGES - draft.skipped:
                continue
            other = first.setdefault(store, draft)
            if (other.is_account, other.values.get("account_id")) != (draft.is_account, draft.values.get("account_id")):
                whose = "another account" if other.is_account else "an organization"
                found = f'the identity store of the target "{other.name}", which is of {whose}'
                self.reader.warn(draft.problem("identity-store-id", found, _ONE_EACH))
                told.add(store)

    def _warn_of_same_organizations(self, drafts: Sequence[TargetDraft]) -> None:
        first: dict[tuple[Any, Any], str] = {}
        for draft in drafts:
            if draft.is_account or not draft.selected:
                continue
            organization = (draft.values.get("account_id"), draft.values.get("region"))
            if organization in first:
                found = f'the account and region of the target "{first[organization]}"; this target is not synced'
                self.reader.warn(draft.problem("aws-account-id", found, "one target for each organization"))
            first.setdefault(organization, draft.name)

    def _wrong(self, line: int | None, target: str | None, option: str, found: str, expected: str) -> None:
        self.reader.wrong(Problem(self.top.file, line, target, option, found, expected))


@dataclass
class _TargetReader:
    """Reads the options of one target into its draft."""

    draft: TargetDraft
    reader: Reader
    home: Path
    skip_authentication: bool

    def read(self) -> None:
        draft, model = self.draft, _MODELS[self.draft.connector]
        names.check_target(self.reader, draft.own, model)
        self.reader.placeholders = {}
        draft.locks = self.reader.settings(Locks, draft.layers)
        draft.values = self.reader.settings(Shared, draft.layers)
        draft.values |= self.reader.settings(model, draft.target_layers, leave_out=_SHARED)
        self._check_required(model)
        self._check_ids()
        self._fill_region()
        self._check_partition()
        if draft.is_account:
            self._check_sources()
            draft.link = self._link()
        draft.values["placeholders"] = tuple(self.reader.placeholders)
        for placeholder in self.reader.placeholders:
            self.reader.warn(placeholder)

    def _check_required(self, model: type[AccountTarget] | type[OrganizationTarget]) -> None:
        login = () if self.skip_authentication else _LOGIN
        for option in _needed(model):
            if self.draft.values.get(option.attribute) is not None:
                continue
            expected = option.option.kind.expected
            if option.attribute in _SHARED and (option.option.required or option.attribute in login):
                everywhere = f"{expected}, at the top of the file or in each target"
                self.reader.wrong(Problem(self.draft.own.file, None, None, option.name, "nothing", everywhere))
            elif option.option.required:
                self.reader.wrong(self.draft.problem(option.name, "nothing", expected))

    def _check_ids(self) -> None:
        """What is not skipped needs the id of where it goes."""
        values, skipped = self.draft.values, self.draft.skipped
        if self.draft.is_account and values.get("data_source_id") is None and _SOURCE_STAGES - skipped:
            self._wrong_id("data-source-id", "the id of the data source in Raito Cloud", _SOURCE_STAGES)
        if values.get("identity_store_id") is None and _IDENTITY_STAGES - skipped:
            self._wrong_id("identity-store-id", "the id of the identity store in Raito Cloud", _IDENTITY_STAGES)

    def _wrong_id(self, option: str, expected: str, stages: frozenset[str]) -> None:
        skips = " and ".join(sorted(f"`{stage.replace('_', '-')}: true`" for stage in stages))
        self.reader.wrong(self.draft.problem(option, "nothing", f"{expected}, or {skips}"))

    def _fill_region(self) -> None:
        """Without regions in the file, take the one of the profile."""
        attribute, option = ("regions", "aws-regions") if self.draft.is_account else ("region", "aws-region")
        if self.draft.values.get(attribute):
            return
        region = self._profile_region(self.draft.values.get("profile"), option)
        if region is not None:
            self.draft.values[attribute] = (region,) if self.draft.is_account else region

    def _check_partition(self) -> None:
        """An account is in one partition of AWS: where its regions are of two, those of one of them are not its."""
        regions = self.draft.values.get("regions")
        if not isinstance(regions, tuple):
            return
        others = [region for region in regions if aws_partition(region) != aws_partition(regions[0])]
        if others and not any(map(is_placeholder, regions)):
            found = f"{', '.join(regions)}, of which {', '.join(others)} cannot be in one account with {regions[0]}"
            self.reader.wrong(self.draft.problem("aws-regions", found, "regions of one partition of AWS"))

    def _profile_region(self, profile: Any, option: str) -> str | None:
        """The region that `profile` names; without any, a problem that tells where one can be given.

        And what of the AWS files is passed over: the region may well stand there.
        """
        if profile is not None and not isinstance(profile, str):
            return None
        if profile is not None and is_placeholder(profile):
            return "<region of the profile>"
        region = profile_region(profile, self.reader.environ, self.home)
        if region is None:
            where = f"for the AWS profile {shown(profile)}" if profile else "in the AWS configuration or AWS_REGION"
            reasons = doubts(profile, self.reader.environ, self.home)
            why = f" ({'; '.join(reasons)})" if reasons else ""
            expected = f"{kinds.REGION_NAME.expected}, here or {where}{why}"
            self.reader.wrong(self.draft.problem(option, "nothing", expected))
        else:
            self._check_profile_region(region, option)
        return region

    def _check_profile_region(self, region: str, option: str) -> None:
        found = f"{shown(region)} (from the AWS configuration)"
        try:
            kinds.region(region)
        except kinds.NotThatKind as error:
            self.reader.wrong(self.draft.problem(option, found, error.expected or kinds.REGION_NAME.expected))
            return
        for _, doubt in kinds.region_doubts([region]):
            self.reader.warn(self.draft.problem(option, f"{found}: {doubt}", None))

    def _check_sources(self) -> None:
        """Exactly one of S3 and Glue: S3 by default, unless Glue is on."""
        values, lines = self.draft.values, self.draft.own.section.lines
        s3, glue = values.get("aws_s3_enabled"), values.get("aws_glue_enabled", False)
        if not (s3 is None or isinstance(s3, bool)) or not isinstance(glue, bool):
            return
        values["aws_s3_enabled"] = not glue if s3 is None else s3
        if values["aws_s3_enabled"] != glue:
            return
        line = lines.get("aws-s3-enabled", lines.get("aws-glue-enabled"))
        found = "both on" if glue else "neither on"
        expected = "exactly one of aws-s3-enabled and aws-glue-enabled to be true"
        self.reader.wrong(Problem(self.draft.own.file, line, self.draft.name, _BOTH_SOURCES, found, expected))

    def _link(self) -> dict[str, Any] | None:
        """The options of the organization, all of them or none."""
        values = self.reader.settings(OrganizationLink, self.draft.target_layers)
        if values.get("profile") is None:
            for option in declared(OrganizationLink):
                if option.attribute in values:
                    found = "an option of the organization without `aws-organization-profile`; it is not used"
                    self.reader.warn(self.draft.problem(option.name, found, "aws-organization-profile besides it"))
            return None
        for option in declared(OrganizationLink):
            if option.attribute not in values and option.attribute != "region":
                expected = f"{option.option.kind.expected}, which aws-organization-profile needs"
                self.reader.wrong(self.draft.problem(option.name, "nothing", expected))
        if "region" not in values:
            values["region"] = self._profile_region(values["profile"], "aws-organization-region")
        return values


@cache
def _needed(model: type[AccountTarget] | type[OrganizationTarget]) -> tuple[Declared, ...]:
    """The options that a target may not work without."""
    return tuple(option for option in declared(model) if option.option.required or option.attribute in _LOGIN)


def _reach(draft: TargetDraft, discovered: Discovered, organizations: Sequence[Mapping[str, Any]]) -> None:
    """Settle how a discovered account is reached: a profile of its own, else the role of all discovered accounts.

    The management account is where the credentials that assume the role are of: nothing is assumed there.
    """
    values, first = draft.values, organizations[0] if organizations else {}
    if values.get("profile") is not None:
        return
    account, regions = values.get("account_id"), values.get("regions")
    values["profile"] = discovered.discovery.profile or first.get("profile")
    of_credentials = discovered.discovery.profile in (None, first.get("profile")) and account == first.get("account_id")
    if isinstance(account, str) and isinstance(regions, tuple) and regions and not of_credentials:
        values["role"] = discovered.discovery.role_in(account, regions[0])


def _in_place_of_targets(node: Node | None) -> str:
    if node is None:
        return "nothing"
    return "an empty list" if isinstance(node, Items) else "a mapping" if isinstance(node, Section) else "a text"


def _written_name(section: Section) -> str | None:
    """The target's name as written, for problems that are found before it is known."""
    node = section.get("name")
    return node.text if isinstance(node, Scalar) else None


def _meant_connector(name: str) -> str | None:
    """The AWS connector that a mistyped `name` stands for, or None where it is another one.

    The owner may be left out or mistyped; a plugin of the right owner that has to do with AWS is one of ours.
    """
    owner, _, plugin = name.rpartition("/")
    if owner and distance(owner, _OWNER) > 3:
        return None
    plugins = {connector.rpartition("/")[2]: connector for connector in _MODELS}
    near = closest(plugin, plugins, 3) or closest(f"{_PLUGIN}{plugin}", plugins, 3)
    if near is None and "aws" in re.split(r"[^a-z0-9]+", plugin):
        near = next((each for each in plugins if each.startswith(plugin)), nearest(plugin, plugins))
    return None if near is None else plugins[near]


def partitions(drafts: Sequence[TargetDraft]) -> dict[str, str]:
    """The partition key of each account target by name: `ACCOUNT` of the first in the file, `ACCOUNT-TARGET` of others.

    So one that is added below another one of its account leaves that one's key as it is.
    """
    accounts = {
        draft.name: draft.values["account_id"]
        for draft in drafts
        if draft.is_account and isinstance(draft.values.get("account_id"), str)
    }
    keys: dict[str, str] = {}
    taken: set[str] = set()
    first: dict[str, str] = {}
    for name, account in accounts.items():
        base = names.as_key(account if first.setdefault(account, name) == name else f"{account}-{name}")
        others = (f"{base}-{number}" for number in range(2, len(keys) + 3))
        keys[name] = base if base not in taken else next(key for key in others if key not in taken)
        taken.add(keys[name])
    return keys
