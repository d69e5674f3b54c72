"""Refreshes the kept copy of AWS's own policies from AWS: `make managed-policies PROFILE=NAME`.

Any account will do, and `iam:ListPolicies` and `iam:GetPolicyVersion` on `*`. Only what has another version than the
copy is asked for, so that a refresh takes two pages and a few dozen calls. What AWS no longer lists stays: accounts
that have it keep it.
"""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.paging import MARKER, Service
from raito_pipeline.aws.readers.iam_rows import PAGE, policy_text
from raito_pipeline.aws.readers.kept_policies import COPY, KeptPolicy, keep_policies, kept_policies


def refresh_kept_policies(clients: AwsClients, today: date, copy: Path = COPY) -> int:
    """Bring a copy up to date; gives how many documents are new. Raises `AwsError`, and leaves the copy as it was then.

    `today` is the day that the new documents are of.
    """
    iam = Service(clients, "iam", MARKER)
    kept = kept_policies(copy)
    changed = {}
    for listed in iam.items("ListPolicies", "Policies", "*", Scope="AWS", MaxItems=PAGE):
        arn, version = listed["Arn"], listed["DefaultVersionId"]
        if arn in kept and kept[arn].version_id == version:
            continue
        got = iam.get("GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)["PolicyVersion"]
        changed[arn] = KeptPolicy(arn, version, today, policy_text(got["Document"]))
    if changed:
        keep_policies({**kept, **changed}.values(), copy)
    return len(changed)


def main(arguments: list[str]) -> None:
    """Refresh the copy with the profile that is named, or the default one."""
    today = datetime.now(UTC).date()
    new = refresh_kept_policies(AwsClients(arguments[0] if arguments else None), today)
    print(f"{new} policies of AWS are new or changed; note the day {today.isoformat()} in aws_managed_policies.md")


if __name__ == "__main__":
    main(sys.argv[1:])
