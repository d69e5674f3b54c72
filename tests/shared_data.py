"""Where the real records lie that some tests load; they skip where these are not there."""

from pathlib import Path

_DATA = Path(__file__).parents[2] / "shared/data"
EXPORT = _DATA / "iam/account-authorization-details.json"
LOGS = _DATA / "cloudtrail"
