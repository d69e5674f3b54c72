"""Loads `raito.yml`: finds it, reads every option, and builds the frozen objects if nothing at all is wrong.

Nothing is contacted and nothing is written; besides the file itself only the AWS configuration files are read, for the
region of a profile.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from raito_pipeline.config import document, kinds, names, targets
from raito_pipeline.config.addresses import ALLOWED, PLAIN_HTTP, is_exposed
from raito_pipeline.config.discovered import Discovered, read_discovered
from raito_pipeline.config.document import Items, Node, Scalar, Section
from raito_pipeline.config.environment import CONFIG_FILE_VARIABLE, Environment, read_environment
from raito_pipeline.config.options import General, Options, OtherAccount, Pipeline
from raito_pipeline.config.problems import ConfigError, Problem, safe_name, shown
from raito_pipeline.config.reading import WRONG, OptionLayer, Reader, secrets_of, without_secrets
from raito_pipeline.loading import nothing_is_garbage

FILE_NAMES = ("raito.yml", "raito.yaml")
COMMAND_LINE = "command line"
LARGEST = 32 * 2**20
"""bytes of a file; a thousand targets have one or two million"""


def find_config(cwd: Path, home: Path, environ: Mapping[str, str]) -> Path:
    """The file that `RAITO_CONFIG_FILE` names, else `raito.yml` or `raito.yaml` in `cwd`, else in `home`/.raito.

    Raises `ConfigError` where there is none.
    """
    given = environ.get(CONFIG_FILE_VARIABLE)
    if given and "://" in given:
        wanted = "the path of a raito.yml, or s3://BUCKET/KEY"
        raise ConfigError([Problem(CONFIG_FILE_VARIABLE, None, None, None, shown(given), wanted)])
    if given:
        path = cwd / (home / given[2:] if given.startswith("~/") else given)
        if path.is_file():
            return path
        what = "a folder" if path.is_dir() else "something else than a file" if path.exists() else "no such file"
        found = f"{what}, though {CONFIG_FILE_VARIABLE} names it"
        raise ConfigError([Problem(str(path), None, None, None, found, "a raito.yml")])
    places = [folder / name for folder in (cwd, home / ".raito") for name in FILE_NAMES]
    for place in places:
        if place.is_file():
            return place
    named = f"one of {', '.join(map(str, places))}, or its path in {CONFIG_FILE_VARIABLE}"
    wanted = f"{named} (`raito-pipeline init` writes one)"
    raise ConfigError([Problem(FILE_NAMES[0], None, None, None, "no such file", wanted)])


@nothing_is_garbage()
def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    only_targets: Sequence[str] | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Options:
    """Read a configuration file.

    `path`: the file; without it, `find_config` looks for one. `environ`: the environment (default: the process's own).
    `only_targets`: names of the targets to sync, in place of the file's `only-targets`. `overrides`: options given on a
    command line (name -> text), which win over the whole file and over options in the environment (`environment.py`).
    Raises `ConfigError` with all problems of the file.
    """
    environ = os.environ if environ is None else environ
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    file_path = find_config(Path.cwd(), home, environ) if path is None else path
    try:
        with file_path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        said = f"a file that cannot be read ({error.strerror})"
        raise ConfigError([Problem(str(file_path), None, None, None, said, "a file that can be read")]) from None
    return _load_at(file_path, content, environ, only_targets, overrides)


def load_text(text: str, path: Path, only_targets: Sequence[str] | None = None) -> Options:
    """What `load` would give if `text` stood in the file `path`, which is not written. Raises `ConfigError`."""
    return _load_at(path, text.encode(), os.environ, only_targets, None)


def _load_at(
    path: Path,
    content: bytes,
    environ: Mapping[str, str],
    only_targets: Sequence[str] | None,
    overrides: Mapping[str, str] | None,
) -> Options:
    folder = path.absolute().parent
    return load_content(content, str(path), environ, only_targets, overrides, folder=folder, beside=_in_folder)


def _in_folder(file: str) -> bytes | None:
    """The bytes of the file of discovered targets; None where there is none yet. Raises `ConfigError`."""
    try:
        with Path(file).open("rb") as opened:
            return opened.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        said = f"a file that cannot be read ({error.strerror})"
        raise ConfigError([Problem(file, None, None, None, said, "a file that can be read")]) from None


def load_content(
    content: bytes,
    name: str,
    environ: Mapping[str, str],
    only_targets: Sequence[str] | None = None,
    overrides: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    beside: Callable[[str], bytes | None] = lambda _file: None,
) -> Options:
    """Read the bytes of a configuration file, as `load` does. `name` is what messages call it.

    `folder` is the one that relative paths count from; without it (a file that lies in no folder) there must be none.
    `beside` gives the bytes of the file of discovered targets by its name, None where it is not there.
    """
    given = dict(overrides or {})
    if only_targets is not None:
        given["only-targets"] = ",".join(only_targets)
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    root, problems = document.parse(_text_of(content, name), name)
    if not isinstance(root, Section):
        raise ConfigError(problems or [Problem(name, None, None, None, *_not_a_mapping(root))])
    reader = Reader(environ, dict.fromkeys(problems))
    over = _command_line(given, reader)
    return _Loading(name, folder, root, reader, home, over, read_environment(reader, root), beside).options()


def _text_of(content: bytes, name: str) -> str:
    try:
        if len(content) <= LARGEST:
            return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig").read()
        found, expected = f"more than {LARGEST // 2**20} MiB", "a file of options"
    except UnicodeDecodeError:
        found, expected = "bytes that are not UTF-8", "a text file in UTF-8"
    raise ConfigError([Problem(name, None, None, None, found, expected)])


def _not_a_mapping(root: Node | None) -> tuple[str, str]:
    expected = "options as `option: value`, among them `targets`"
    if root is None or (isinstance(root, Scalar) and root.null):
        return "an empty file", expected
    return ("a list" if isinstance(root, Items) else "a text"), expected


def _command_line(overrides: Mapping[str, str], reader: Reader) -> OptionLayer:
    for name in overrides:
        if name not in names.OVERRIDABLE:
            expected = "an option that stands at the top of a raito.yml"
            reader.wrong(Problem(COMMAND_LINE, None, None, safe_name(name), "an unknown option", expected))
    entries = {name: Scalar(text, None) for name, text in overrides.items()}
    return OptionLayer(COMMAND_LINE, Section(entries, None, dict.fromkeys(entries)))


@dataclass
class _Loading:
    """One load, from the parsed file on."""

    name: str
    folder: Path | None
    root: Section = field(repr=False)
    reader: Reader
    home: Path
    over: OptionLayer
    env: Environment
    beside: Callable[[str], bytes | None]
    discovered: Discovered | None = None

    def options(self) -> Options:
        top = OptionLayer(self.name, self.root)
        names.check_top(self.reader, top)
        general = self.reader.settings(General, (self.over, *self.env.top, top))
        pipeline = self._pipeline()
        only = general.get("only_targets", ())
        drafts = targets.TargetsReader(self.reader, self.over, top, self.env, self.home, self.discovered).drafts(
            only if isinstance(only, tuple) else (), skip_authentication=general.get("skip_authentication") is True
        )
        if isinstance(general.get("cron"), str) and general.get("frequency"):
            found = "an interval besides `cron`; it is not used"
            line = self.root.lines.get("frequency")
            self.reader.warn(Problem(self.name, line, None, "frequency", found, "only one of them"))
        self._require_tls(general.get("raito_url_override"), pipeline)
        if self.reader.problems:
            raise ConfigError(self._shown(self.reader.problems), self._shown(self.reader.warnings))
        return self._built(general, pipeline, drafts)

    def _require_tls(self, raito_url: Any, pipeline: Mapping[str, Any]) -> None:
        if pipeline.get("allow_plain_http") is True:
            return
        webhook, below = pipeline.get("alert_webhook"), self.root.get("pipeline")
        self._require_tls_of("raito-url-override", raito_url, self.root)
        if isinstance(webhook, SecretStr) and isinstance(below, Section | None):
            self._require_tls_of("alert-webhook", webhook.get_secret_value(), below or Section({}, None))

    def _require_tls_of(self, option: str, address: Any, section: Section) -> None:
        if not isinstance(address, str) or not is_exposed(address):
            return
        found = "plain http:// to another machine"
        expected = "an https:// address (`pipeline: {allow-plain-http: true}` allows it)"
        place = self.env.file_of(option)
        line = section.lines.get(option) if place is None else None
        self.reader.wrong(Problem(place or self.name, line, None, option, found, expected))

    def _built(
        self, general: Mapping[str, Any], pipeline: Mapping[str, Any], drafts: Sequence[targets.TargetDraft]
    ) -> Options:
        keys = targets.partitions(drafts)
        organizations = [draft for draft in drafts if not draft.is_account]
        return Options(
            **general,
            file=self.name if self.folder is None else str(self.folder / Path(self.name).name),
            accounts=tuple(draft.account(keys[draft.name]) for draft in drafts if draft.is_account and draft.selected),
            organizations=tuple(draft.organization() for draft in organizations if draft.selected),
            other_organizations=tuple(
                draft.organization() for draft in organizations if not draft.selected and "region" in draft.values
            ),
            other_accounts=tuple(
                OtherAccount(draft.name, draft.values["account_id"], keys[draft.name])
                for draft in drafts
                if not draft.selected and draft.name in keys
            ),
            other_members=tuple(member for d in drafts if not d.selected for member in d.membership()),
            pipeline=Pipeline(**pipeline),
            warnings=self._shown(self.reader.warnings),
            from_environment=self.env.used((draft.name, draft.own.section) for draft in drafts if draft.selected),
        )

    def _shown(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        hidden = (secrets_of(place, self.reader.environ) for place in (self.root, self.env.all, self.over.section))
        return without_secrets(problems, set().union(*hidden))

    # -- the key `pipeline:` -----------------------------------------------------------------------------------------

    def _pipeline(self) -> dict[str, Any]:
        node = self.root.get("pipeline")
        section = node if isinstance(node, Section) and not node.template else Section({}, None)
        if node is not None and section is not node:
            self._wrong(self.root.lines["pipeline"], "pipeline", "a value", "a mapping of options")
        layer = OptionLayer(self.name, section)
        names.check_pipeline(self.reader, layer)
        values = self.reader.settings(Pipeline, (self.over, *self.env.pipeline, layer), leave_out=("s3_inventory",))
        values["s3_inventory"] = self._inventories(section)
        values["storage"] = self._storage(values)
        self.discovered = read_discovered(self.reader, self.name, section, self._text_beside)
        if self.discovered is not None:
            values["discover"] = self.discovered.discovery
            file = self.discovered.file
            values["discovered_file"] = file if self.folder is None else str(Path(file).absolute())
        return values

    def _text_beside(self, file: str) -> str | None:
        content = self.beside(file)
        return None if content is None else _text_of(content, file)

    def _inventories(self, section: Section) -> tuple[tuple[str, str], ...]:
        """`s3-inventory`, the one option that is a mapping itself: (bucket, address of its inventory)."""
        node = section.get("s3-inventory")
        if node is None:
            return ()
        line = section.lines["s3-inventory"]
        if not isinstance(node, Section) or node.template:
            expected = "a mapping of bucket names to addresses s3://BUCKET/PREFIX/"
            self._wrong(line, "s3-inventory", "something else than a mapping", expected)
            return ()
        layer = OptionLayer(self.name, node)
        for bucket in node.entries:
            if not kinds.BUCKET_NAME.fullmatch(bucket):
                self._wrong(node.lines[bucket], "s3-inventory", safe_name(bucket), kinds.BUCKET.expected)
        addresses = ((bucket, self.reader.text(kinds.S3_LOCATION, layer, bucket)) for bucket in node.entries)
        return tuple((bucket, address) for bucket, address in addresses if isinstance(address, str))

    def _storage(self, values: Mapping[str, Any]) -> Any:
        """The storage place as an absolute path, or the S3 address with how it is reached (`storage/s3.py`)."""
        given = values.get("storage")
        if self.folder is not None and given is None:
            return str(self.folder / "data")
        if isinstance(given, str) and given.startswith("s3://"):
            plain = ALLOWED if values.get("allow_plain_http") is True else None
            how = {"profile": values.get("storage_profile"), "region": values.get("storage_region"), PLAIN_HTTP: plain}
            return _reached(given, how)
        if given is not None and not isinstance(given, str):
            return given
        path = None if given is None else self.home / given[2:] if given.startswith("~/") else Path(given)
        if self.folder is None and (path is None or not path.is_absolute()):
            found = "nothing" if path is None else "a path that counts from the folder of a file, which is not in one"
            self._wrong(self.root.lines.get("pipeline"), "storage", found, "an address s3://... or an absolute path")
            return WRONG
        return str(path if self.folder is None else self.folder / (path or ""))

    def _wrong(self, line: int | None, option: str, found: str, expected: str) -> None:
        self.reader.wrong(Problem(self.name, line, None, option, found, expected))


def _reached(address: str, given: Mapping[str, Any]) -> str:
    """An S3 address that says itself how it is reached, so that nothing that opens it can forget to."""
    more = urlencode({name: value for name, value in given.items() if isinstance(value, str)})
    return f"{address}{'&' if '?' in address else '?'}{more}" if more else address
