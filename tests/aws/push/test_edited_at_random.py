"""Random policies that Raito did not write, edited at random: who has them loses what was taken away and nothing else.

What they may do before and after is AWS's evaluation (`tests/aws/evaluator`), apart from the product.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.known_paths import known_paths
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.types.policy_changes import NewPolicyVersion
from raito_pipeline.model import WhatItem
from tests.aws.access.random_accounts import (
    ACCOUNT,
    BUCKETS,
    DATA_OBJECTS,
    Features,
    RandomAccount,
    identity_statement,
)
from tests.aws.access.world import Probe, World, probes_of_bucket
from tests.aws.push.pushing import Options, imported
from tests.aws.push.test_nothing_edited import as_imported, plan_of

SEEDS = (*range(40), 94)
ANN = "user:ann"
TRIED = ("k", "x/k", "x/y/k", "home/ann/k", "x/k.csv", "a-new-key", "x/a-new-key", "new.csv")
ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:GetObjectVersion", "s3:ListBucket")
PROBES = [probe for name in BUCKETS for probe in probes_of_bucket(name, ACTIONS, list(TRIED))]


def an_account(seed: int) -> RandomAccount:
    """ann has one policy of some statements."""
    random, features = Random(seed), Features(conditions=True)
    listed = [identity_statement(random, features, denies=0.15) for _ in range(random.choice((1, 2, 2, 3)))]
    return RandomAccount(seed, {"ann": []}, managed={"p": listed}, attached={"p": [ANN]})


def some_of(what: Sequence[WhatItem], random: Random) -> tuple[WhatItem, ...]:
    """A what from which somebody took permissions and data objects away."""
    kept = ((item, tuple(name for name in item.permissions if random.random() < 0.6)) for item in what)
    return tuple(replace(item, permissions=names) for item, names in kept if names and random.random() < 0.7)


def gives(what: Sequence[WhatItem], probe: Probe) -> bool:
    """Whether a what is about a request."""
    bucket, _, key = probe.resource.removeprefix("arn:aws:s3:::").partition("/")
    return any(probe.action in item.permissions and _holds(item, bucket, key) for item in what)


def _holds(item: WhatItem, bucket: str, key: str) -> bool:
    name = item.data_object.full_name
    of_bucket, _, path = name.partition("/")
    if name == ACCOUNT:
        return True
    if of_bucket.rpartition(":")[2] != bucket:
        return False
    return not path or (key == path if item.data_object.type == "file" else key.startswith(f"{path}/"))


def test_what_is_taken_away_goes_or_is_said_and_everything_else_stays() -> None:
    """A statement that Raito Cloud does not show stays; what was taken away and is given by it is an error."""
    lost, said = 0, 0
    for seed in SEEDS:
        account = an_account(seed)
        inputs = account.inputs()
        rows = imported(inputs, Options())
        if "policy:p" not in rows:
            continue
        # What a push reads of policies is what it looks up itself.
        own = replace(inputs, look_up=partial(known_paths, data_objects=DATA_OBJECTS, parts=True))
        control = as_imported(0, rows["policy:p"])
        wanted = some_of(control.what, Random(f"{seed} edited"))
        plan = plan_of(own, PushState.of_account(own, Options(), rows), [replace(control, what=wanted)])
        errors = [error for target in plan.targets for error in target.errors]
        documents = [row.after for row in plan.changes if row.kind == NewPolicyVersion.KIND and row.after]
        before, after = World(inputs), World(_with_documents(inputs, documents))
        for probe in PROBES:
            had, has = before.allows(ANN, probe), after.allows(ANN, probe)
            shown, kept = gives(control.what, probe), gives(wanted, probe)
            if shown and not kept:
                lost += had and not has
                said += has
                assert not has or errors, f"seed {seed}: {probe} was taken away, and nothing says that it is given"
            else:
                assert had is has, f"seed {seed}: {probe} was not edited: {had} before, {has} after"
    assert lost > 300 < 10 * said


def _with_documents(inputs: AccessInputs, documents: Sequence[str]) -> AccessInputs:
    """The account with its one policy as it is after its last new version."""
    policies = [replace(inputs.policies[0], document=document) for document in documents[-1:]]
    return replace(inputs, policies=policies or inputs.policies)
