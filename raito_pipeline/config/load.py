"""Loads `raito.yml`: finds it, reads every option, checks what concerns several options, builds the frozen objects.

Nothing is contacted and nothing is written; besides the file itself only the AWS configuration files are read, for the
region of a profile. All problems of a file are reported together.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raito_pipeline.config import document, names
from raito_pipeline.config.document import Items, Node, Scalar, Section
from raito_pipeline.config.options import (
    ACCOUNT_CONNECTOR,
    ORGANIZATION_CONNECTOR,
    AccountTarget,
    General,
    Locks,
    Options,
    OrganizationLink,
    OrganizationTarget,
    Pipeline,
    Shared,
    declared,
)
from raito_pipeline.config.problems import ConfigError, Problem, safe_name, shown
from raito_pipeline.config.profiles import profile_region
from raito_pipeline.config.reading import WRONG, Layer, Reader, secrets_of, without_secrets

CONFIG_FILE_VARIABLE = "RAITO_CONFIG_FILE"
FILE_NAMES = ("raito.yml", "raito.yaml")
COMMAND_LINE = "command line"


def find_config(cwd: Path, home: Path, environ: Mapping[str, str]) -> Path:
    """The configuration file to use: `RAITO_CONFIG_FILE`, else `raito.yml` or `raito.yaml` in `cwd`, then in `home`/.raito.

    Raises `ConfigError` where there is none.
    """
    given = environ.get(CONFIG_FILE_VARIABLE)
    if given:
        path = cwd / (home / given[2:] if given.startswith("~/") else given)
        if not path.is_file():
            raise ConfigError(
                [
                    Problem(
                        str(path),
                        None,
                        None,
                        None,
                        f"no such file, though {CONFIG_FILE_VARIABLE} names it",
                        "a raito.yml",
                    )
                ]
            )
        return path
    places = [folder / name for folder in (cwd, home / ".raito") for name in FILE_NAMES]
    for place in places:
        if place.is_file():
            return place
    wanted = f"a file in one of these places, or its path in {CONFIG_FILE_VARIABLE}: {', '.join(map(str, places))}"
    raise ConfigError([Problem(FILE_NAMES[0], None, None, None, "no such file", wanted)])


def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    only_targets: Sequence[str] | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Options:
    """Read a configuration file into `Options`.

    `path`: the file; without it, `find_config` looks for one. `environ`: the environment (default: the process's own).
    `only_targets`: names of the targets to sync, in place of the file's `only-targets`. `overrides`: options given on a
    command line (name -> text), which win over the whole file. Raises `ConfigError` with all problems of the file.
    """
    environ = os.environ if environ is None else environ
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    found = find_config(Path.cwd(), home, environ) if path is None else path
    given = dict(overrides or {})
    if only_targets is not None:
        given["only-targets"] = ",".join(only_targets)
    file = str(found)
    root, problems = document.parse(_text_of(found), file)
    if isinstance(root, Section):
        loading = _Loading(found, root, Reader(environ, dict.fromkeys(problems)), home, given)
        return loading.options()
    if not problems:
        problems = [Problem(file, None, None, None, *_not_a_mapping(root))]
    raise ConfigError(problems)


def _not_a_mapping(root: Node | None) -> tuple[str, str]:
    expected = "options as `option: value`, among them `targets`"
    if root is None or (isinstance(root, Scalar) and root.null):
        return "an empty file", expected
    return ("a list" if isinstance(root, Items) else "a text"), expected


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        found, expected = "bytes that are not UTF-8", "a text file in UTF-8"
    except OSError as error:
        found, expected = f"a file that cannot be read ({error.strerror})", "a file that can be read"
    raise ConfigError([Problem(str(path), None, None, None, found, expected)])


@dataclass
class _Draft:
    """A target whose options were read, before the objects are built."""

    name: str
    line: int
    connector: str
    layers: tuple[Layer, ...]
    values: dict[str, Any] = field(default_factory=dict)
    locks: dict[str, Any] = field(default_factory=dict)
    link: dict[str, Any] | None = None
    selected: bool = True


@dataclass
class _Loading:
    """The state of one load."""

    path: Path
    root: Section
    reader: Reader
    home: Path
    overrides: Mapping[str, str]

    @property
    def file(self) -> str:
        return str(self.path)

    def options(self) -> Options:
        top = Layer(self.file, self.root)
        over = self._override_layer()
        names.check_top(self.reader, top)
        general = self.reader.settings(General, (over, top))
        pipeline = self._pipeline()
        drafts = self._drafts(general, over, top)
        self._check_unique_sources(drafts)
        partitions = _partitions(drafts)
        self._raise_problems()
        return self._built(general, pipeline, drafts, partitions)

    def _override_layer(self) -> Layer:
        entries = {name: Scalar(text, 0) for name, text in self.overrides.items()}
        layer = Layer(COMMAND_LINE, Section(entries, 0, dict.fromkeys(entries, 0)))
        for name in entries:
            if name not in names.OVERRIDABLE:
                self.reader.wrong(
                    Problem(
                        COMMAND_LINE,
                        None,
                        None,
                        safe_name(name),
                        "an unknown option",
                        "an option that is not of one target only",
                    )
                )
        return layer

    def _raise_problems(self) -> None:
        if self.reader.problems:
            raise ConfigError(self._without_secrets(self.reader.problems))

    def _without_secrets(self, problems: Mapping[Problem, None]) -> tuple[Problem, ...]:
        return without_secrets(problems, secrets_of(self.root, self.reader.environ))

    # -- pipeline ----------------------------------------------------------------------------------------------------

    def _pipeline(self) -> dict[str, Any]:
        node = self.root.get("pipeline")
        if node is not None and not isinstance(node, Section):
            self.reader.wrong(
                Problem(self.file, self.root.lines["pipeline"], None, "pipeline", "a value", "a mapping of options")
            )
        section = node if isinstance(node, Section) else Section({}, 0)
        layer = Layer(self.file, section)
        names.check_pipeline(self.reader, layer)
        plain = {name: value for name, value in section.entries.items() if name != "s3-inventory"}
        values = self.reader.settings(Pipeline, (Layer(self.file, Section(plain, section.line, section.lines)),))
        values["s3_inventory"] = self._inventories(section)
        values["storage"] = self._storage(values.get("storage"))
        return values

    def _inventories(self, section: Section) -> tuple[tuple[str, str], ...]:
        node = section.get("s3-inventory")
        option = next(option for option in declared(Pipeline) if option.attribute == "s3_inventory")
        if node is None:
            return ()
        if not isinstance(node, Section) or node.template:
            line = section.lines["s3-inventory"]
            expected = "a mapping of bucket names to addresses s3://BUCKET/PREFIX/"
            self.reader.wrong(Problem(self.file, line, None, "s3-inventory", "something else than a mapping", expected))
            return ()
        layer = Layer(self.file, node)
        found = []
        for bucket in node.entries:
            address = self.reader.text(option.option.kind, layer, bucket)
            if isinstance(address, str):
                found.append((bucket, address))
        return tuple(found)

    def _storage(self, given: Any) -> Any:
        folder = self.path.absolute().parent
        if given is WRONG or (isinstance(given, str) and given.startswith("s3://")):
            return given
        if given is None:
            return str(folder / "data")
        path = self.home / given[2:] if given.startswith("~/") else Path(given)
        return str(folder / path)

    # -- targets -----------------------------------------------------------------------------------------------------

    def _drafts(self, general: Mapping[str, Any], over: Layer, top: Layer) -> list[_Draft]:
        drafts = list(self._named_targets(over, top))
        only = general.get("only_targets") or ()
        if only and only is not WRONG:
            self._select(drafts, only)
        for draft in drafts:
            if draft.selected:
                self._read_target(draft, self.reader, general)
            else:
                self._read_target(draft, Reader(self.reader.environ), general)
        return [draft for draft in drafts if draft.connector in (ACCOUNT_CONNECTOR, ORGANIZATION_CONNECTOR)]

    def _named_targets(self, over: Layer, top: Layer) -> Iterator[_Draft]:
        node = self.root.get("targets")
        if not isinstance(node, Items) or not node.items:
            found = "nothing" if node is None else "an empty list" if isinstance(node, Items) else "something else"
            line = self.root.lines.get("targets")
            self.reader.wrong(Problem(self.file, line, None, "targets", found, "a list of at least one target"))
            return
        lines: dict[str, int] = {}
        for item in node.items:
            if not isinstance(item, Section):
                self.reader.wrong(
                    Problem(
                        self.file, item.line, None, "targets", "an entry without options", "a target with its options"
                    )
                )
                continue
            connector = self._connector(item)
            name = self._name(item, connector, lines)
            if connector is not None:
                yield _Draft(name, item.line, connector, (over, Layer(self.file, item, name), top))

    def _connector(self, section: Section) -> str | None:
        text = self.reader.text(
            names.CONNECTOR_KIND, Layer(self.file, section, self._plain_name(section)), "connector-name"
        )
        if text is None:
            problem = Problem(
                self.file,
                section.line,
                self._plain_name(section),
                "connector-name",
                "nothing",
                f"{ACCOUNT_CONNECTOR} or {ORGANIZATION_CONNECTOR}",
            )
            self.reader.wrong(problem)
        return text.strip().lower() if isinstance(text, str) else None

    def _plain_name(self, section: Section) -> str | None:
        node = section.get("name")
        return shown(node.text).strip('"') if isinstance(node, Scalar) else None

    def _name(self, section: Section, connector: str | None, lines: dict[str, int]) -> str:
        given = self.reader.text(names.NAME_KIND, Layer(self.file, section, self._plain_name(section)), "name")
        if isinstance(given, str):
            name = given.strip()
            if name in lines:
                found = f'"{name}" a second time (first in line {lines[name]})'
                self.reader.wrong(
                    Problem(self.file, section.lines["name"], name, "name", found, "each target to have its own name")
                )
            else:
                lines[name] = section.lines["name"]
            return name
        name = base = connector or "target"
        for number in range(2, len(lines) + 3):
            if name not in lines:
                break
            name = f"{base} ({number})"
        lines[name] = section.line
        return name

    def _select(self, drafts: Sequence[_Draft], only: Sequence[str]) -> None:
        known = {draft.name for draft in drafts}
        file, line = (
            (COMMAND_LINE, None)
            if "only-targets" in self.overrides
            else (self.file, self.root.lines.get("only-targets"))
        )
        for name in only:
            if name not in known:
                wanted = f"names of targets of this file: {', '.join(sorted(known))}"
                self.reader.wrong(Problem(file, line, None, "only-targets", shown(name), wanted))
        for draft in drafts:
            draft.selected = draft.name in only

    def _read_target(self, draft: _Draft, reader: Reader, general: Mapping[str, Any]) -> None:
        over, own, top = draft.layers
        if draft.connector not in (ACCOUNT_CONNECTOR, ORGANIZATION_CONNECTOR):
            found = f"the connector {shown(draft.connector)}; the target is skipped"
            problem = Problem(
                self.file,
                draft.line,
                draft.name,
                "connector-name",
                found,
                f"{ACCOUNT_CONNECTOR} or {ORGANIZATION_CONNECTOR} for a target to sync",
            )
            reader.warnings[problem] = None
            return
        model = AccountTarget if draft.connector == ACCOUNT_CONNECTOR else OrganizationTarget
        names.check_target(reader, own, model)
        before = len(reader.placeholders)
        values = reader.settings(Shared, draft.layers)
        locks = reader.settings(Locks, draft.layers)
        shared = {option.attribute for option in declared(Shared)}
        for option in declared(model):
            if option.attribute not in shared:
                value = reader.option(option, (own,))
                if value is not None:
                    values[option.attribute] = value
        draft.values, draft.locks = values, locks
        self._check_required(draft, reader, model, general)
        self._fill_regions(draft, reader)
        if model is AccountTarget:
            self._check_sources(draft, reader)
            draft.link = self._link(draft, reader)
        draft.values["placeholders"] = tuple(reader.placeholders)[before:]
        if reader is not self.reader and reader.problems:
            draft.values = {"account_id": values.get("account_id")}
            draft.connector = draft.connector
        draft.values["name"] = draft.name

    def _check_required(
        self,
        draft: _Draft,
        reader: Reader,
        model: type[AccountTarget] | type[OrganizationTarget],
        general: Mapping[str, Any],
    ) -> None:
        shared = {option.attribute for option in declared(Shared)}
        login = () if general.get("skip_authentication") is True else ("api_user", "api_secret")
        for option in declared(model):
            if draft.values.get(option.attribute) is not None:
                continue
            if option.attribute in shared and (option.option.required or option.attribute in login):
                expected = f"{option.option.kind.expected}, at the top of the file or in each target"
                reader.wrong(Problem(self.file, None, None, option.name, "nothing", expected))
            elif option.option.required:
                reader.wrong(
                    Problem(self.file, draft.line, draft.name, option.name, "nothing", option.option.kind.expected)
                )

    def _fill_regions(self, draft: _Draft, reader: Reader) -> None:
        attribute, option = (
            ("regions", "aws-regions") if draft.connector == ACCOUNT_CONNECTOR else ("region", "aws-region")
        )
        if draft.values.get(attribute):
            return
        profile = draft.values.get("profile")
        region = self._region_of(profile, draft, reader, option)
        if region is not None:
            draft.values[attribute] = (region,) if attribute == "regions" else region

    def _region_of(self, profile: Any, draft: _Draft, reader: Reader, option: str) -> str | None:
        """The region that `profile` names; without any, a problem that tells where one can be given."""
        if profile is WRONG:
            return None
        if profile is not None and profile.startswith("<"):
            return "<region of the profile>"
        region = profile_region(profile, reader.environ, self.home)
        if region is None:
            where = f'the AWS profile "{profile}"' if profile else "the AWS configuration or AWS_REGION"
            reader.wrong(Problem(self.file, draft.line, draft.name, option, "nothing", f"a region, here or in {where}"))
        return region

    def _check_sources(self, draft: _Draft, reader: Reader) -> None:
        """Exactly one of S3 and Glue: on by itself is S3, unless Glue is on."""
        s3, glue = draft.values.get("aws_s3_enabled"), draft.values.get("aws_glue_enabled", False)
        if s3 is WRONG or glue is WRONG:
            return
        enabled = not glue if s3 is None else s3
        draft.values["aws_s3_enabled"] = enabled
        if enabled != glue:
            return
        found = "both on" if glue else "neither on"
        own = draft.layers[1].section
        line = own.lines.get("aws-s3-enabled", own.lines.get("aws-glue-enabled", draft.line))
        names_both = "aws-s3-enabled, aws-glue-enabled"
        reader.wrong(
            Problem(
                self.file,
                line,
                draft.name,
                names_both,
                found,
                "exactly one of aws-s3-enabled and aws-glue-enabled to be true",
            )
        )

    def _link(self, draft: _Draft, reader: Reader) -> dict[str, Any] | None:
        own = draft.layers[1]
        values = reader.settings(OrganizationLink, (own,))
        if not values:
            return None
        for option in declared(OrganizationLink):
            if values.get(option.attribute) is None and option.attribute != "region":
                expected = f"{option.option.kind.expected}, since another `aws-organization-` option is given"
                reader.wrong(Problem(self.file, draft.line, draft.name, option.name, "nothing", expected))
        if values.get("region") is None and values.get("profile") is not None:
            values["region"] = self._region_of(values["profile"], draft, reader, "aws-organization-region")
        return values

    def _check_unique_sources(self, drafts: Sequence[_Draft]) -> None:
        first: dict[str, str] = {}
        for draft in drafts:
            source = draft.values.get("data_source_id")
            if not isinstance(source, str) or draft.connector != ACCOUNT_CONNECTOR:
                continue
            if source in first and not source.startswith("<"):
                line = draft.layers[1].section.lines.get("data-source-id")
                found = f'the data source of the target "{first[source]}"'
                problem = Problem(
                    self.file,
                    line,
                    draft.name,
                    "data-source-id",
                    found,
                    "another one: each sync would remove what the other imported",
                )
                self.reader.warnings[problem] = None
            first.setdefault(source, draft.name)

    # -- building ----------------------------------------------------------------------------------------------------

    def _built(
        self,
        general: Mapping[str, Any],
        pipeline: Mapping[str, Any],
        drafts: Sequence[_Draft],
        partitions: Mapping[str, str],
    ) -> Options:
        accounts = []
        organizations = []
        others = []
        for draft in drafts:
            if draft.connector == ACCOUNT_CONNECTOR and draft.selected:
                link = None if draft.link is None else OrganizationLink(**draft.link)
                accounts.append(AccountTarget(**_merged(draft), organization=link, partition=partitions[draft.name]))
            elif draft.connector == ORGANIZATION_CONNECTOR and "region" in draft.values:
                (organizations if draft.selected else others).append(OrganizationTarget(**_merged(draft)))
        warnings = {**self.reader.warnings, **self.reader.placeholders}
        return Options(
            **general,
            file=str(self.path.absolute()),
            accounts=tuple(accounts),
            organizations=tuple(organizations),
            other_organizations=tuple(others),
            pipeline=Pipeline(**pipeline),
            warnings=self._without_secrets(warnings),
        )


def _merged(draft: _Draft) -> dict[str, Any]:
    """The values of a target with its locks; the older name of `fully-lock-by-name` counts like the newer one."""
    locks = dict(draft.locks)
    older = locks.get("make_not_internalizable", ())
    if older:
        locks["fully_lock_by_name"] = (*locks.get("fully_lock_by_name", ()), *older)
    return {**draft.values, "locks": Locks(**locks), "line": draft.line}


def _partitions(drafts: Sequence[_Draft]) -> dict[str, str]:
    """The partition key of each account target: the account, and the target too where several share the account.

    Targets that `only-targets` leaves out count as well, so that a key does not depend on what is selected.
    """
    accounts = {
        draft.name: str(draft.values["account_id"])
        for draft in drafts
        if draft.connector == ACCOUNT_CONNECTOR and isinstance(draft.values.get("account_id"), str)
    }
    shared = Counter(accounts.values())
    keys: dict[str, str] = {}
    for name, account in accounts.items():
        key = base = names.as_key(account if shared[account] == 1 else f"{account}-{name}")
        number = 1
        while key in keys.values():
            number += 1
            key = f"{base}-{number}"
        keys[name] = key
    return keys
