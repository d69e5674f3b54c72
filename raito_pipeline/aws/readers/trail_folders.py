"""Where in a bucket the CloudTrail logs of one account lie: `[PREFIX/]AWSLogs/[o-ORGID/]ACCOUNT/CloudTrail/`.

Trails move: to an organization trail, to another prefix; a second one is added. A bucket may hold the logs of
thousands of accounts, and much else. So the account's own folder is asked for by its name, and never looked for among
those of all accounts.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from raito_pipeline.aws.connection.errors import AwsDenied
from raito_pipeline.aws.readers.reading import Workers
from raito_pipeline.aws.readers.s3_listing import Listed
from raito_pipeline.first_few import first_few

LOGS = "AWSLogs/"
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}/")
_LIKELY = re.compile("trail|log|audit", re.IGNORECASE)
_MOST_LEVELS = 8
_MOST_PAGES = 20
"""pages of one folder: 20,000 names"""
MOST_LISTINGS = 5_000
"""listings of a search that finds nothing"""
_ENOUGH_LISTINGS = 100
"""listings of a search that found something: another trail may write to another prefix"""
_AT_ONCE = 50
_MOST_NAMED = 5

Page = Callable[..., Listed]
"""One page of `ListObjectsV2` of the bucket. Raises `AwsError`."""


@dataclass
class TrailSearch:
    """A search for the folders of one account, up to and with `AWSLogs/` or the organization below it.

    `asked` are the folders of the account that were asked for, `gave_up` is true where the bucket holds more folders
    than were looked at.
    """

    page: Page
    account_id: str
    pool: Workers
    asked: list[str] = field(default_factory=list)
    gave_up: bool = False
    _denied: AwsDenied | None = None
    _listings: int = 0
    _found: int = 0

    def near(self, layouts: Iterable[str]) -> Iterator[str]:
        """What lies at the top of the bucket, and in the `AWSLogs/` of folders that are known: a few listings."""
        yield from self._below_all([LOGS, *(_logs_of(layout) for layout in layouts)])

    def everywhere(self, layouts: Iterable[str] = ()) -> Iterator[str]:
        """The same, and what lies in the `AWSLogs/` of any prefix of up to eight levels, likely names first.

        Raises `AwsError`; a part of the bucket that may not be listed counts only where nothing was found.
        """
        yield from self.near(layouts)
        level = [""]
        for _ in range(_MOST_LEVELS + 1):
            below: list[str] = []
            for prefix, names in self._folders_of(level):
                logs = f"{prefix}{LOGS}"
                if prefix and logs in names:
                    yield from self._below_all([logs])
                below += (name for name in names if name != logs)
            level = sorted(below, key=lambda name: (_LIKELY.search(name) is None, name))
        self.gave_up = self.gave_up or bool(level)
        if not self._found:
            # A trail whose prefix is `AWSLogs`; what lies there is not looked through, as it may be of many accounts.
            yield from self._below_all([LOGS * 2])
        if self._denied is not None and not self._found and not tuple(layouts):
            raise self._denied

    def missing(self, bucket: str) -> str:
        """The problem of a search that found nothing: where it looked, and what to do."""
        named = first_few([f"s3://{bucket}/{folder}" for folder in self.asked], _MOST_NAMED)
        ended = f"; the search ended after {self._listings} listings" if self.gave_up else ""
        return (
            f"there is no CloudTrail log of account {self.account_id} in the bucket {bucket}: nothing lies at {named}"
            f"{ended}. Give the bucket that a trail of this account (or of its organization) writes to as "
            "aws-s3-cloudtrail-bucket."
        )

    def _below_all(self, all_logs: Iterable[str]) -> Iterator[str]:
        for logs in dict.fromkeys(all_logs):
            organizations = (name for name in self._folders(f"{logs}o-") if _ORGANIZATION.fullmatch(name, len(logs)))
            for layout in (logs, *organizations):
                folder = f"{layout}{self.account_id}/CloudTrail/"
                self.asked.append(folder)
                if self._try(Prefix=folder, MaxKeys=1).keys:
                    self._found += 1
                    yield layout

    def _folders_of(self, prefixes: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
        """Prefixes with the folders below them, some at a time, until there were too many listings."""
        waiting = iter(prefixes)
        while part := list(islice(waiting, _AT_ONCE)):
            if self._listings >= (_ENOUGH_LISTINGS if self._found else MOST_LISTINGS):
                self.gave_up = True
                return
            yield from zip(part, self.pool.each(self._folders, part), strict=True)

    def _folders(self, prefix: str) -> list[str]:
        """The folders below a prefix; `AWSLogs/` is among them even where there are too many to list."""
        folders: list[str] = []
        token: str | None = None
        for _ in range(_MOST_PAGES):
            page = self._try(Prefix=prefix, Delimiter="/", **({"ContinuationToken": token} if token else {}))
            folders += page.prefixes
            token = page.token
            if not token:
                return folders
        self.gave_up = True
        logs = f"{prefix}{LOGS}"
        if logs not in folders and self._try(Prefix=logs, MaxKeys=1).keys:
            folders.append(logs)
        return folders

    def _try(self, **request: object) -> Listed:
        """One listing; a policy may permit the account's own folder alone, so what is denied is empty at first."""
        self._listings += 1
        try:
            return self.page(**request)
        except AwsDenied as denied:
            self._denied = self._denied or denied
            return Listed([], [], None, [], [], [])


def _logs_of(layout: str) -> str:
    """`PREFIX/AWSLogs/` of a folder in it."""
    return layout[: layout.rfind(LOGS) + len(LOGS)]
