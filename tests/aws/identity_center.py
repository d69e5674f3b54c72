"""An Identity Center that answers over HTTP out of plain dictionaries: two instances, their people and access."""

from collections.abc import Callable, Mapping
from typing import Any

from .stand_in import Refused, StandIn

REGION, ACCOUNT, OTHER, MASTER = "eu-west-1", "111122223333", "444455556666", "999988887777"
ORG, BESIDE = (f"arn:aws:sso:::instance/ssoins-{digit * 16}" for digit in "12")
STORE, STORE_BESIDE = "d-1111111111", "d-2222222222"
READ, WRITE = (f"arn:aws:sso:::permissionSet/ssoins-{'1' * 16}/ps-{letter * 16}" for letter in "ab")
Answer = Mapping[str, Any]


def instance(arn: str = ORG, store: str = STORE, owner: str = MASTER, status: str | None = "ACTIVE") -> dict[str, Any]:
    found = {"InstanceArn": arn, "IdentityStoreId": store, "OwnerAccountId": owner, "Status": status}
    return {name: value for name, value in found.items() if value is not None}


def user(number: int, **more: Any) -> dict[str, Any]:
    made = {"UserId": f"u-{number}", "IdentityStoreId": STORE, "UserName": f"user{number}", **more}
    return {name: value for name, value in made.items() if value is not ...}


def group(number: int, **more: Any) -> dict[str, Any]:
    made = {"GroupId": f"g-{number}", "IdentityStoreId": STORE, "DisplayName": f"team{number}", **more}
    return {name: value for name, value in made.items() if value is not ...}


def member(user_number: int, group_number: int) -> dict[str, Any]:
    return {"GroupId": f"g-{group_number}", "MemberId": {"UserId": f"u-{user_number}"}}


def refused(code: str, text: str = "no") -> Refused:
    return Refused(500 if code.startswith("Internal") else 400, code, text)


def center(
    *,
    instances: list[Any] | None = None,
    users: list[Any] | None = None,
    groups: list[Any] | None = None,
    members: list[Any] | None = None,
    assigned: Mapping[tuple[str, str], list[Any]] | None = None,
    fails: Callable[[str, Answer], Refused | None] = lambda _action, _request: None,
) -> StandIn:
    """An Identity Center. `assigned` are the assignments by permission set and account; `fails` may refuse any call."""
    people = {"ListUsers": ("Users", users or []), "ListGroups": ("Groups", groups or [])}
    access = assigned if assigned is not None else {(READ, ACCOUNT): []}

    def of_group(request: Answer) -> Any:
        return {"GroupMemberships": [m for m in members or () if m is None or m.get("GroupId") == request["GroupId"]]}

    def of_user(request: Answer) -> Any:
        wanted = request["MemberId"]
        return {"GroupMemberships": [m for m in members or () if m is None or m.get("MemberId") == wanted]}

    handlers: dict[str, Callable[[Answer], Any]] = {
        "sso:ListInstances": lambda _: {"Instances": [instance()] if instances is None else instances},
        "identitystore:ListGroupMemberships": of_group,
        "identitystore:ListGroupMembershipsForMember": of_user,
        "sso:ListPermissionSets": lambda _: {"PermissionSets": sorted({arn for arn, _ in access})},
        "sso:ListPermissionSetsProvisionedToAccount": lambda r: {
            "PermissionSets": [arn for arn, account in access if account == r["AccountId"]]
        },
        "sso:ListAccountAssignments": lambda r: {
            "AccountAssignments": access.get((r["PermissionSetArn"], r["AccountId"]), [])
        },
        "sso:DescribePermissionSet": lambda r: {
            "PermissionSet": {"Name": {READ: "Read", WRITE: "Write"}.get(r["PermissionSetArn"])}
        },
        "sso:ListTagsForResource": lambda _: {"Tags": [{"Key": "team", "Value": "data"}]},
    }
    for operation, (key, rows) in people.items():
        handlers[f"identitystore:{operation}"] = lambda r, key=key, rows=rows: {  # type: ignore[misc]
            key: rows if r["IdentityStoreId"] == STORE else []
        }

    def guarded(action: str, handler: Callable[[Answer], Any]) -> Callable[[Answer], Any]:
        def answer(request: Answer) -> Any:
            fault = fails(action, request)
            if fault is not None:
                raise fault
            return handler(request)

        return answer

    return StandIn({action: guarded(action, handler) for action, handler in handlers.items()})
