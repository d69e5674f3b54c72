"""Discovery: which accounts of the organization become targets, and what is made for them in Raito Cloud.

The plan is a value, made of what AWS lists and what the configuration knows; carrying it out makes data sources and
identity stores, and writes the file of discovered targets. An account that is a target stays one, whatever becomes of
it: it is said, and a person decides.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from raito_pipeline.aws.connection.limits import ServiceLimits, shared_limits
from raito_pipeline.aws.readers.members import ACTIVE, MemberAccount, Members
from raito_pipeline.aws.readers.reading import Progress, no_progress
from raito_pipeline.config import AccountTarget, Options, OrganizationTarget
from raito_pipeline.config.discovery import ACCOUNT, NAME, Discovery
from raito_pipeline.config.edit import Entry, with_closed, with_targets
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.first_few import first_few
from raito_pipeline.model import Tag
from raito_pipeline.orchestration.config_file import read_beside, write_beside
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.errors import RaitoError, RaitoRefused
from raito_pipeline.raito.setup import SetUp

_MOST_REFUSED = 5
"""how many refusals are said; and of so many without anything that was made, no other account is tried"""
HEAD = """\
# The accounts of the organization that `raito-pipeline discover` made targets of. What they share stands in raito.yml
# (`pipeline: discover: target:`); an option that is put into an entry here wins for it. An entry that is taken out is
# found again, unless a filter of `discover` leaves its account out.
"""


class DiscoveryVerdict(StrEnum):
    """What discovery makes of an account."""

    NEW = "new"
    KNOWN = "known"
    CLOSED = "closed"
    LEFT_OUT = "left out"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class DiscoveredAccount:
    """An account with what becomes of it, and why. `target` is the name of its target, where there is or will be one.

    `mark` is what its entry has to say from now on: `closed`, `open`, or nothing new.
    """

    account_id: str
    name: str
    path: str
    verdict: DiscoveryVerdict
    why: str = ""
    target: str | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class DiscoveryPlan:
    """Every account of the organization, by id, and those of targets that are gone from it."""

    accounts: tuple[DiscoveredAccount, ...]

    def of(self, verdict: DiscoveryVerdict) -> tuple[DiscoveredAccount, ...]:
        """The accounts with a verdict."""
        return tuple(account for account in self.accounts if account.verdict is verdict)

    @property
    def changes(self) -> int:
        """How many entries would be added or changed."""
        return sum(account.verdict is DiscoveryVerdict.NEW or account.mark is not None for account in self.accounts)


@dataclass(frozen=True, slots=True)
class KnownTarget:
    """A target of the configuration, as far as discovery is concerned."""

    account_id: str
    name: str
    discovered: bool = False
    closed: bool = False


def known_targets(options: Options) -> tuple[KnownTarget, ...]:
    """The account targets of a configuration that was loaded without `only-targets`."""
    return tuple(
        KnownTarget(target.account_id, target.name, target.discovered, target.closed is not None)
        for target in options.accounts
    )


def plan_discovery(discovery: Discovery, members: Members, known: Sequence[KnownTarget]) -> DiscoveryPlan:
    """What would be done. Raises `AwsError`.

    Tags are asked for only where they decide: of accounts that are no targets yet, and that nothing else leaves out.
    """
    accounts = members.accounts(with_units=discovery.asks_units)
    targets = {target.account_id: target for target in reversed(known)}
    first = [_judged(discovery, account, targets.get(account.account_id)) for account in accounts]
    if discovery.asks_tags:
        tags = members.tags(one.account_id for one in first if one.verdict is DiscoveryVerdict.NEW)
        first = [_by_tags(discovery, one, tags[one.account_id]) if one.account_id in tags else one for one in first]
    there = {account.account_id for account in accounts}
    gone = [
        DiscoveredAccount(
            target.account_id,
            target.name,
            "",
            DiscoveryVerdict.GONE,
            f"no account of the organization any more: its target and tables stay ({_forget(target)})",
            target.name,
        )
        for target in known
        if target.discovered and target.account_id not in there
    ]
    return DiscoveryPlan(tuple(_named([*first, *gone], [target.name for target in known])))


def _judged(discovery: Discovery, account: MemberAccount, target: KnownTarget | None) -> DiscoveredAccount:
    judged = DiscoveredAccount(account.account_id, account.name, account.path, DiscoveryVerdict.NEW)
    why = _excluded(discovery, account)
    if target is None:
        if account.is_closed:
            return replace(judged, verdict=DiscoveryVerdict.CLOSED, why=f"AWS says {account.state}")
        if account.state != ACTIVE:
            return replace(judged, verdict=DiscoveryVerdict.LEFT_OUT, why=f"not open yet: AWS says {account.state}")
        return judged if why is None else replace(judged, verdict=DiscoveryVerdict.LEFT_OUT, why=why)
    judged = replace(judged, target=target.name)
    if account.is_closed:
        text = f"AWS says {account.state}: its target and tables stay ({_forget(target)})"
        mark = "closed" if target.discovered and not target.closed else None
        return replace(judged, verdict=DiscoveryVerdict.CLOSED, why=text, mark=mark)
    opened = "open" if target.closed else None
    text = f"{why}; its target stays" if why is not None and target.discovered else ""
    return replace(judged, verdict=DiscoveryVerdict.KNOWN, why=text, mark=opened)


def _forget(target: KnownTarget) -> str:
    return f"to remove them: raito-pipeline forget {target.account_id}"


def _excluded(discovery: Discovery, account: MemberAccount) -> str | None:
    """Why a filter leaves an account out, tags aside; None where none does."""
    units = {text for unit in (account.units or ()) for text in (unit.id, unit.name)}
    names = account.path.split("/") if account.path else []
    units |= {"/".join(names[: end + 1]) for end in range(len(names))}
    where = f"it is in {account.path or 'the root'}"
    if discovery.accounts and account.account_id not in discovery.accounts:
        return "not among `accounts`"
    if account.account_id in discovery.exclude_accounts:
        return "among `exclude-accounts`"
    if discovery.names and not matches_any(discovery.names, account.name):
        return "its name matches none of `names`"
    if matches_any(discovery.exclude_names, account.name):
        return "its name matches `exclude-names`"
    if discovery.units and not units.intersection(discovery.units):
        return f"in none of `units` ({where})"
    if units.intersection(discovery.exclude_units):
        return f"in one of `exclude-units` ({where})"
    return None


def _by_tags(discovery: Discovery, account: DiscoveredAccount, tags: Iterable[Tag]) -> DiscoveredAccount:
    has = {f"{tag.key}:{tag.value}" for tag in tags}
    if discovery.tags and not has.intersection(discovery.tags):
        return replace(account, verdict=DiscoveryVerdict.LEFT_OUT, why="it has none of `tags`")
    excluded = sorted(has.intersection(discovery.exclude_tags))
    if excluded:
        return replace(
            account, verdict=DiscoveryVerdict.LEFT_OUT, why=f"it has the tag {excluded[0]} of `exclude-tags`"
        )
    return account


def _named(accounts: Iterable[DiscoveredAccount], taken: Iterable[str]) -> Iterator[DiscoveredAccount]:
    """The accounts, new ones with the name of their target: that of the account, with its id where others have it."""
    names = set(taken)
    for account in accounts:
        if account.verdict is not DiscoveryVerdict.NEW:
            yield account
            continue
        name = " ".join(account.name.replace(",", " ").split())
        # What stands between <...> or {{...}} is no text in a raito.yml.
        plain = not name.startswith(("<", "{{")) and name not in names and name != ""
        target = name if plain else f"{name.strip('<>{} ')} {account.account_id}".strip()
        names.add(target)
        yield replace(account, target=target)


@dataclass(frozen=True, slots=True)
class Carried:
    """What was done: the accounts that became targets, and the entries that were marked as closed or open."""

    added: tuple[str, ...]
    marked: tuple[str, ...]


class AccountsRefused(RaitoError):
    """Raito Cloud did not make what some accounts need; `made` counts the others."""

    def __init__(self, refused: Mapping[str, RaitoRefused], made: int) -> None:
        said = first_few([f"{account}: {error}" for account, error in refused.items()], _MOST_REFUSED, "; ")
        super().__init__(f"{made} accounts became targets, and {len(refused)} could not: {said}")
        self.refused = refused


@dataclass
class DiscoveryWork:
    """Carries plans out: makes what is missing in Raito Cloud, and writes the file of discovered targets.

    `organization_store` is the identity store of the organization in Raito Cloud, linked to each data source where the
    discovered targets name the organization; `today` is the day that closed accounts are marked with.
    """

    discovery: Discovery
    file: str
    set_up: SetUp
    organization_store: str | None
    today: date
    progress: Progress = no_progress

    def carry_out(self, plan: DiscoveryPlan) -> Carried:
        """Do what the plan says. Raises `RaitoError`, `NotEditable`, `ConfigError`, `OSError`.

        What was made before something failed is in the file: the next time goes on from there. An account that Raito
        Cloud refuses keeps no other from being made; what it says is raised at the end (`AccountsRefused`).
        """
        new = plan.of(DiscoveryVerdict.NEW)
        entries: list[Entry] = []
        refused: dict[str, RaitoRefused] = {}
        try:
            for account in new:
                try:
                    entries.append(self._made(account))
                except RaitoRefused as error:
                    refused[account.account_id] = error
                    if error.retry_helps or (not entries and len(refused) == _MOST_REFUSED):
                        break
                self.progress("data sources", len(entries), len(new))
        finally:
            self._write(entries, plan)
        if refused:
            raise AccountsRefused(refused, len(entries))
        marked = tuple(account.account_id for account in plan.accounts if account.mark is not None)
        return Carried(tuple(account.account_id for account in new), marked)

    def _made(self, account: DiscoveredAccount) -> Entry:
        about = f"AWS account {account.account_id}"
        source = self.set_up.data_source(self._filled(self.discovery.data_source_name, account), about)
        store = self.set_up.identity_store(self._filled(self.discovery.identity_store_name, account), about)
        self.set_up.link(source, store)
        if self.organization_store is not None:
            self.set_up.link(source, self.organization_store)
        return {
            "name": account.target or account.account_id,
            "aws-account-id": account.account_id,
            "data-source-id": source,
            "identity-store-id": store,
        }

    def _filled(self, pattern: str, account: DiscoveredAccount) -> str:
        return pattern.replace(ACCOUNT, account.account_id).replace(NAME, account.name)

    def _write(self, entries: Sequence[Entry], plan: DiscoveryPlan) -> None:
        since = {
            account.account_id: self.today.isoformat() if account.mark == "closed" else None
            for account in plan.accounts
            if account.mark is not None
        }
        kept = read_beside(self.file)
        before = HEAD if kept is None else kept
        text = with_targets(before, entries, self.file)
        if since:
            text = with_closed(text, since, self.file)
        if text != before:
            write_beside(self.file, text)


class NoDiscovery(Exception):
    """The configuration says nothing of discovery, or leaves out what it needs; the text says what to do."""


def plan_of(services: Services, progress: Progress = no_progress, limits: ServiceLimits | None = None) -> DiscoveryPlan:
    """The plan of a configuration. Raises `NoDiscovery`, `AwsError`, `WrongAccount`.

    `limits` replaces those that all readers of this process keep together.
    """
    discovery = _discovery(services.options)
    members = Members(services.discovery_aws(), discovery.region, limits or shared_limits(), progress)
    return plan_discovery(discovery, members, known_targets(services.options))


def work_of(services: Services, today: date, progress: Progress = no_progress) -> DiscoveryWork:
    """What carries plans of a configuration out. Raises `NoDiscovery`, `LoginNotReadable`."""
    options = services.options
    discovery = _discovery(options)
    organizations = (*options.organizations, *options.other_organizations)
    logins: tuple[OrganizationTarget | AccountTarget, ...] = (*organizations, *options.accounts)
    if not logins:
        raise NoDiscovery(f"{options.file}: `discover` needs a target of the organization: it logs in as this does")
    store = organizations[0].identity_store_id if organizations and discovery.names_organization else None
    set_up = SetUp(services.raito(logins[0]))
    return DiscoveryWork(discovery, options.pipeline.discovered_file, set_up, store, today, progress)


def _discovery(options: Options) -> Discovery:
    if options.pipeline.discover is None:
        raise NoDiscovery(f"{options.file}: there is no `pipeline: discover:`. See docs/how-to/discover-accounts.md")
    return options.pipeline.discover
