"""The store of a service in an account and region, which the emulator makes when somebody first asks for it."""

from typing import Any

from moto.core.base_backend import AccountSpecificBackend
from moto.moto_api._internal import mock_random

from raito_pipeline.sandbox.aws.patches.replacing import Method, replace


def patch_backends() -> None:
    """Its random ids are its own, so that those of the call that had it made do not depend on who asked before.

    Without this, a change of the journal that is the first call of its service makes other ids than it made when
    somebody had read before it.
    """

    @replace(AccountSpecificBackend, "__getitem__")
    def getitem(before: Method, self: AccountSpecificBackend[Any], region_name: str) -> Any:
        if region_name in self.keys():  # `in self` would be true of what could be there
            return dict.__getitem__(self, region_name)
        state = mock_random.getstate()
        mock_random.seed(f"{self.service_name} {self.account_id} {region_name}")
        try:
            return before(self, region_name)
        finally:
            mock_random.setstate(state)
