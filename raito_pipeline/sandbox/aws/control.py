"""The sandbox's own HTTP interface beside AWS: other processes read the call log, order faults, and are people.

- `GET /sandbox-api/calls` with the optional query fields `service`, `operation`, `account` and `since` (a call number):
  `{"mark": 12, "calls": [{"number": 12, "service": "iam", "operation": "GetRole", ...}]}`
- `POST /sandbox-api/calls/reset`: forgets all calls.
- `GET /sandbox-api/faults`: `{"faults": [{"id": "fault-1", "kind": "deny", "hits": 2, ...}]}`
- `POST /sandbox-api/faults` with one fault (the fields of `faults.Fault`) or a list of them: `{"ids": ["fault-1"]}`
- `DELETE /sandbox-api/faults` takes all back, `DELETE /sandbox-api/faults?id=fault-1` one.
- `GET /sandbox-api/credentials?account=ID&permission_set=NAME&user=NAME`: what Identity Center's access portal gives a
  person, `{"access_key_id": ..., "secret_access_key": ..., "session_token": ...}`; 403 where nothing is assigned.
"""

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from raito_pipeline.sandbox.aws.call_log import CallLog
from raito_pipeline.sandbox.aws.faults import Fault, Faults
from raito_pipeline.sandbox.aws.http import Answer
from raito_pipeline.sandbox.aws.identity_center import NotAssigned, person_credentials

PREFIX = "/sandbox-api/"
_FILTERS = ("service", "operation", "account")


def answer_control(environ: Mapping[str, Any], calls: CallLog, faults: Faults) -> Answer:
    """Answer a request whose path starts with PREFIX; mistakes are answered with 400 or 404 and `{"error": ...}`."""
    stream = environ.get("wsgi.input", io.BytesIO())
    body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    query = dict(parse_qsl(str(environ.get("QUERY_STRING", ""))))
    try:
        match environ["REQUEST_METHOD"], str(environ["PATH_INFO"]).removeprefix(PREFIX).strip("/"):
            case "GET", "calls":
                return _json(200, _calls(calls, query))
            case "POST", "calls/reset":
                calls.reset()
                return _json(200, {})
            case "GET", "faults":
                return _json(200, {"faults": faults.listed()})
            case "POST", "faults":
                ordered = msgspec.json.decode(body, type=Fault | list[Fault])
                many = ordered if isinstance(ordered, list) else [ordered]
                return _json(200, {"ids": [faults.add(fault) for fault in many]})
            case "DELETE", "faults":
                return _remove(faults, query.get("id"))
            case "GET", "credentials":
                return _credentials(query)
            case method, path:
                return _json(404, {"error": f"There is no {method} {PREFIX}{path}."})
    except (msgspec.MsgspecError, ValueError) as error:
        return _json(400, {"error": str(error)})


def _calls(calls: CallLog, query: Mapping[str, str]) -> dict[str, Any]:
    chosen = calls.since(int(query.get("since", "0")))
    for name in _FILTERS:
        if name in query:
            chosen = [call for call in chosen if getattr(call, name) == query[name]]
    return {"mark": calls.mark, "calls": chosen}


def _credentials(query: Mapping[str, str]) -> Answer:
    missing = [name for name in ("account", "permission_set", "user") if name not in query]
    if missing:
        return _json(400, {"error": f"Name the {missing[0]} in the query."})
    try:
        credentials = person_credentials(query["account"], query["permission_set"], query["user"])
    except NotAssigned as error:
        return _json(403, {"error": str(error)})
    return _json(200, credentials._asdict())


def _remove(faults: Faults, fault_id: str | None) -> Answer:
    if fault_id is None:
        faults.clear()
    elif not faults.remove(fault_id):
        return _json(404, {"error": f"There is no fault {fault_id!r}."})
    return _json(200, {})


def _json(status: int, value: Any) -> Answer:
    return Answer(status, (("Content-Type", "application/json"),), msgspec.json.encode(value))
