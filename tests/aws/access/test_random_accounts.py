"""Random accounts: nothing is claimed that AWS refuses, and nothing that AWS allows is missed without a word.

What counts is defined in `comparison.py`. `make probes` runs four million of them in place of twenty thousand:
`RAITO_PIPELINE_PROBES=4000000`; `RAITO_PIPELINE_PROBES_FROM=SEED` goes on where another run ended.
"""

import os
import re
from dataclasses import asdict, replace
from pprint import pformat

import pytest

from tests.aws.access.comparison import Findings, compare
from tests.aws.access.random_accounts import KEYS, Features, RandomAccount, random_account, smallest
from tests.aws.access.world import World

_VARIABLE = re.compile(r"\$\{(aws:[\w:/]+)")
WANTED = int(os.environ.get("RAITO_PIPELINE_PROBES", "20000"))
FIRST = int(os.environ.get("RAITO_PIPELINE_PROBES_FROM", "0"))
FEATURES = Features(
    conditions=True,
    short_arns=True,
    assume_rights=True,
    boundaries=True,
    bucket_policies=True,
    control_policies=True,
    points=True,
)


_MANY_ON_POINTS = replace(FEATURES, on_points=0.5)
"""every fifth account, with policies of users and roles that are mostly about access points"""


@pytest.mark.timeout(0 if WANTED > 20_000 else 60)
def test_claims_of_random_accounts_are_what_aws_gives() -> None:
    findings, seed = Findings(), FIRST
    while findings.probes < WANTED:
        account = random_account(seed, FEATURES if seed % 5 else _MANY_ON_POINTS)
        found = compare(account.inputs(), KEYS, wolves=seed % 20 == 0)
        for kind in ("over", "silent"):
            if getattr(found, kind):
                pytest.fail(f"seed {seed}: {_explained(account, kind)}", pytrace=False)
        findings += found
        seed += 1
    print(f"seeds {FIRST} to {seed - 1}: {findings}")
    assert findings.claimed > findings.probes / 20


def test_a_role_has_several_values_of_each_variable_in_the_contexts_that_are_tried() -> None:
    """With one value alone, what a policy gives by another one looks as if nobody had it."""
    accounts = (random_account(seed, FEATURES) for seed in range(20))
    with_variable = {key: one for one in accounts for key in _VARIABLE.findall(str(asdict(one)).lower())}
    worlds = {key: World(one.inputs()) for key, one in with_variable.items() if key != "aws:username"}

    assert len(worlds) > 1
    for key, world in worlds.items():
        contexts = [world.context("role:reader", situation) for situation in world.situations]
        assert len({context.get(key) for context in contexts}) > 1, key


def _explained(account: RandomAccount, kind: str) -> str:
    """A fault in as small an account as has it."""

    def faults(one: RandomAccount) -> list[str]:
        found: list[str] = getattr(compare(one.inputs(), KEYS), kind)
        return found

    less = smallest(account, lambda one: bool(faults(one)))
    return f"{faults(less)[0]}\n{pformat(asdict(less), width=140)}"
