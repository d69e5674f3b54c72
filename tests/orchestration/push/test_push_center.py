"""Identity Center in a push of an account: without an organization, and where it was not read."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from raito_pipeline.aws.readers.push_center import CenterListing
from raito_pipeline.config import Options, load
from raito_pipeline.model import OrgPermissionSet, PushChange, PushPermissionSet, Tag
from raito_pipeline.orchestration.partitioning.grid import cell_of
from raito_pipeline.orchestration.partitioning.partitions import organization_of
from raito_pipeline.orchestration.push.push_center import OF_THE_CENTER, PushCenter
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.targets_sync import TargetsSync
from raito_pipeline.storage import Store
from tests.aws.push.center_push import BY_RAITO, INSTANCE, REGION, STORE, CenterAccount
from tests.aws.push.conftest import World, emulated_aws, world

__all__ = ["emulated_aws", "world"]
ACCOUNT = "111122223333"
ROW = PushPermissionSet("arn:aws:sso:::permissionSet/i/ps", "Set", "d", (), False, "", (), (), (), ())
LINK = """\
  aws-organization-profile: there
  aws-organization-region: eu-west-1
  aws-organization-identity-center-instance-arn: arn:aws:sso:::instance/ssoins-1111222233334444
  aws-organization-identity-store: d-1234567890
"""
FILE = """\
api-user: ada
api-secret: nothing
domain: sandbox
targets:
- name: one
  connector-name: raito-io/cli-plugin-aws-account
  aws-account-id: "111122223333"
  data-source-id: ds
  identity-store-id: is
  aws-regions: eu-west-1
"""


def options_of(folder: Path, text: str) -> Options:
    (folder / "raito.yml").write_text(text)
    return load(folder / "raito.yml")


def center(folder: Path, text: str) -> PushCenter:
    options = options_of(folder, text)
    store = Store.open(folder / "data", sync="s1")
    return PushCenter(Services(options), store, cell_of("account", ACCOUNT))


def test_an_account_without_an_organization_has_no_permission_sets(tmp_path: Path) -> None:
    made = center(tmp_path, FILE)
    assert made.calls() is None
    assert "links no organization" in made.state().problem


def test_an_organization_whose_table_is_damaged_may_have_permission_sets_of_raito(tmp_path: Path) -> None:
    made = center(tmp_path, FILE + LINK)
    key = organization_of(made.services.options, ACCOUNT)
    assert key is not None
    assert not made._has_sets_of_raito()
    place = cell_of("organization", key).place
    made.store.write("org_permission_sets", (), *place)
    assert not made._has_sets_of_raito()
    Path(made.store.uri("org_permission_sets", *place)).write_bytes(b"no table")
    assert made._has_sets_of_raito()


def test_what_was_not_read_in_this_sync_is_not_known(tmp_path: Path) -> None:
    made = center(tmp_path, FILE + LINK)
    assert "push_permission_sets 111122223333 was never read" in made.state().problem
    for table in OF_THE_CENTER:
        rows = (ROW,) if table == "push_permission_sets" else ()
        Store.open(tmp_path / "data", sync="s0").write(table, rows, ACCOUNT, read_at=datetime.now(UTC))
    assert "is of another sync" in made.state().problem
    assert made.state(["it was denied"]).problem.endswith("it was denied")


def test_what_was_read_is_known_and_nothing_is_asked_for_the_calls(tmp_path: Path) -> None:
    made = center(tmp_path, FILE + LINK)
    for table in OF_THE_CENTER:
        made.store.write(table, (ROW,) if table == "push_permission_sets" else (), ACCOUNT)
    state = made.state()
    assert (state.problem, list(state.sets), state.is_shared) == ("", ["Set"], False)
    assert made.calls() is not None


def test_permission_sets_are_known_that_were_read_for_any_account_of_the_organization(tmp_path: Path) -> None:
    target = FILE[FILE.index("- name: one") :]
    second = target.replace("one", "two").replace(ACCOUNT, "222233334444").replace("ds", "ds2").replace(": is", ": is2")
    alone = (
        target.replace("one", "alone").replace(ACCOUNT, "333344445555").replace("ds", "ds3").replace(": is", ": is3")
    )
    made = center(tmp_path, FILE + LINK + second + LINK + alone)
    assert list(made.known()) == []
    for account in ("222233334444", "333344445555"):
        Store.open(tmp_path / "data", sync="s0").write("push_permission_sets", (ROW,), account)
    assert list(made.known()) == [ROW]


def test_of_many_accounts_of_an_organization_a_few_are_read(tmp_path: Path) -> None:
    """Each has the names of all of it: to read all of them in each push grows with the square of the accounts."""
    target = FILE[FILE.index("- name: one") :] + LINK
    more = [f"2222333344{number:02}" for number in range(10)]
    text = FILE + LINK
    for number, account in enumerate(more):
        one = target.replace("name: one", f"name: of-{number}").replace(ACCOUNT, account)
        text += one.replace("-id: ds", f"-id: ds-{number}").replace("-id: is", f"-id: is-{number}")
    made = center(tmp_path, text)
    for account in (ACCOUNT, *more):
        row = replace(ROW, arn=f"{ROW.arn}-{account}")
        Store.open(tmp_path / "data", sync="s0").write("push_permission_sets", (row,), account)

    known = list(made.known())

    assert known[0].arn.endswith(ACCOUNT), "its own are met first"
    assert len(known) == 4


def test_one_process_lists_an_organization_once_for_all_accounts_of_a_sync(tmp_path: Path) -> None:
    second = FILE[FILE.index("- name: one") :].replace("one", "two").replace(ACCOUNT, "222233334444")
    second = second.replace(": ds", ": ds2").replace(": is", ": is2")
    options = options_of(tmp_path, FILE + LINK + second + LINK)
    store = Store.open(tmp_path / "data", sync="s1")
    together, each = Services(options, targets_sync=TargetsSync()), Services(options)

    def listed(services: Services, account: str) -> CenterListing:
        return PushCenter(services, store, cell_of("account", account)).listing(
            lambda: CenterListing(datetime.now(UTC), (), ())
        )

    first = listed(together, ACCOUNT)
    assert listed(together, "222233334444") is first
    assert listed(each, ACCOUNT) is not listed(each, ACCOUNT)
    one = PushCenter(together, store, cell_of("account", ACCOUNT))
    row = PushChange(0, "a", "A", "attach", "attachment", "user:ada", None, "arn", "")
    one.note_changes([row])
    assert listed(together, ACCOUNT) is first
    one.note_changes([replace(row, operation="create", kind="permission-set", resource="S")])
    assert listed(together, ACCOUNT) is not first


def test_permission_sets_of_raito_are_read_although_no_access_control_names_any(world: World, tmp_path: Path) -> None:
    account = CenterAccount(world)
    left = account.permission_set("Left", *BY_RAITO)
    link = LINK.replace("arn:aws:sso:::instance/ssoins-1111222233334444", INSTANCE).replace("d-1234567890", STORE)
    made = center(tmp_path, FILE + link.replace("eu-west-1", REGION))
    made.store.write("access_controls", (), ACCOUNT)
    key = organization_of(made.services.options, ACCOUNT)
    assert key is not None
    place = cell_of("organization", key).place
    row = OrgPermissionSet(INSTANCE, left, "Left", "", (Tag("creator", "RAITO"),), ("999988887777",))
    made.store.write("org_permission_sets", (row,), *place)
    assert made.read() is None

    made.store.write("org_permission_sets", (replace(row, account_ids=(ACCOUNT,)),), *place)

    read = made.read()
    assert read is not None
    assert [(one.name, one.is_whole) for one in read.permission_sets.rows] == [("Left", True)]
