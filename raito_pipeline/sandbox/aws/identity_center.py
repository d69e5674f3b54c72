"""Where Identity Center is: it has one home, an account and a region, and other places answer that there is none."""

from moto.ssoadmin.models import Instance, SSOAdminBackend, ssoadmin_backends


def set_identity_center_home(
    account_id: str, region: str, instance_arn: str, identity_store_id: str
) -> SSOAdminBackend:
    """Give Identity Center its home with these ids; gives the emulator's backend for seeding it in-process.

    Without a home every account and region has an Identity Center of its own, with random ids.
    """
    home = ssoadmin_backends[account_id][region]
    instance = Instance(account_id, region)
    instance.instance_arn = instance_arn
    instance.identity_store_id = identity_store_id
    home.instances = [instance]
    vars(home)["is_home"] = True
    return home
