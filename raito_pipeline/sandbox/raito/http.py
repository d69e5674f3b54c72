"""The WSGI application of the local Raito Cloud: GraphQL, signed files, log-in look-up, and the sandbox's own API."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from socket import SHUT_RDWR
from typing import Any, BinaryIO, cast

import msgspec
from ariadne import graphql_sync
from graphql import FieldNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, Undefined, value_from_ast_untyped
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from raito_pipeline.sandbox.raito.counts import count_all
from raito_pipeline.sandbox.raito.documents import Validator, known_parser, parsed
from raito_pipeline.sandbox.raito.faults import CloudFault, CloudFaults, RequestLog
from raito_pipeline.sandbox.raito.jobs import NotThere, NotValid
from raito_pipeline.sandbox.raito.login import Gate, LoginRefused
from raito_pipeline.sandbox.raito.page import page
from raito_pipeline.sandbox.raito.resolvers import Context
from raito_pipeline.sandbox.raito.triggers import Triggers
from raito_pipeline.sandbox.raito.uploads import UploadRefused

_PIECE = 1 << 20
_LARGEST_QUERY = 16 << 20
_VALIDATOR = Validator()  # all instances of a process have one schema


@dataclass(frozen=True)
class Application:
    """One instance is the WSGI application; all its parts are safe to use from many threads."""

    schema: GraphQLSchema
    context: Callable[[str], Context]
    gate: Gate
    auth_org_id: str
    faults: CloudFaults
    log: RequestLog
    triggers: Triggers

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        request.max_content_length = None
        response = self._respond(request)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        path = "/" + request.path.strip("/")
        entry: dict[str, Any] = {"method": request.method, "path": path, "query": request.args.to_dict()}
        try:
            response = self._route(request, path, entry)
        except LoginRefused as error:
            response = _json({"message": str(error)}, error.status)
        except UploadRefused as error:
            response = _storage_error(error)
        except _Answered as answered:
            response = answered.response
        except HTTPException as error:
            response = _json({"message": error.description}, error.code or 500)
        if not path.startswith("/sandbox-api") and path != "/":
            self.log.add({**entry, "status": response.status_code})
        return response

    def _route(self, request: Request, path: str, entry: dict[str, Any]) -> Response:
        match request.method, path.split("/")[1:]:
            case "POST", ["query"]:
                self.gate.check(dict(request.headers))
                return self._query(request, entry)
            case "GET", ["admin", "org", domain]:
                self._fail_by("admin", request, path)
                return self._organization(domain)
            case "GET", ["trigger"]:
                self._fail_by("trigger", request, path)
                self.triggers.check(dict(request.headers))
                self.log.add({**entry, "status": 101})
                self.triggers.serve(dict(request.headers), request.environ["werkzeug.socket"])
                raise ConnectionAbortedError("the WebSocket ended")
            case "GET", ["file", "upload", "signed-url"]:
                return self._sign(request, path, "uploads")
            case "GET", ["file", "upload", "logs", "signed-url"]:
                return self._sign(request, path, "logs")
            case "PUT", ["storage", *key]:
                self._fail_by("upload", request, path)
                files = self.context(_url(request)).files
                files.receive("/".join(key), request.args, dict(request.headers), cast("BinaryIO", request.stream))
                return Response(status=200)
            case "GET", ["storage", *key]:
                self._fail_by("download", request, path)
                return self._download(request, "/".join(key))
            case _, ["sandbox-api", *rest]:
                return self._own(request, rest)
            case "GET", [""]:
                return Response(page(self._counts(request), self.gate.domain), mimetype="text/html")
        return _json({"message": f"there is no {request.method} {path}"}, 404)

    # --- GraphQL

    def _query(self, request: Request, entry: dict[str, Any]) -> Response:
        body = _first_json_value(request)
        entry["operationName"] = body.get("operationName")
        entry["variables"] = body.get("variables")
        fields = list(_root_fields(body))
        entry["operations"] = [name for name, _ in fields]
        entry["arguments"] = dict(fields)
        names = entry["operations"]
        places = [
            "query",
            *(f"operation:{name}" for name in names),
            *(["poll"] if "jobSubtask" in names else []),
        ]
        fault = self.faults.take(*places, subject=json.dumps(body))
        if fault is not None:
            time.sleep(fault.delay)
            if fault.status == 200:
                return _json({"data": None, "errors": [{"message": fault.message}]})
            _happen(fault, request)
        data = {
            "query": body["query"],
            "variables": body.get("variables"),
            "operationName": body.get("operationName"),
        }
        if not data["operationName"]:
            del data["operationName"]
        _, answer = graphql_sync(
            self.schema,
            data,
            context_value=self.context(_url(request)),
            error_formatter=_plain_error,
            logger=_LOGGER,
            query_parser=known_parser,
            query_validator=_VALIDATOR,
        )
        entry["errors"] = [error["message"] for error in answer.get("errors") or []]
        # A document that cannot be executed at all is answered as such; an operation that failed is no HTTP error.
        return _json(answer, 200 if "data" in answer else 422)

    # --- others

    def _organization(self, domain: str) -> Response:
        if domain != self.gate.domain:
            return _json({"message": f"domain {domain!r} is not known"}, 404)
        return _json({"authOrgId": self.auth_org_id, "clientAppId": self.gate.client_id, "domain": domain})

    def _sign(self, request: Request, path: str, kind: str) -> Response:
        self.gate.check(dict(request.headers))
        self._fail_by("signed-url", request, path)
        context = self.context(_url(request))
        digest, length = request.args.get("sha256", ""), request.args.get("contentLength", "")
        signed = context.files.sign_upload(context.url, kind, digest, length)
        return _json({"URL": signed.url, "Key": signed.key, "signedHeaders": signed.signed_headers})

    def _download(self, request: Request, key: str) -> Response:
        path = self.context(_url(request)).files.open_download(key, request.args)

        def pieces() -> Iterator[bytes]:
            with path.open("rb") as stream:
                while piece := stream.read(_PIECE):
                    yield piece

        return Response(
            pieces(),
            mimetype="application/octet-stream",
            headers={"Content-Length": str(path.stat().st_size)},
        )

    def _counts(self, request: Request) -> Any:
        context = self.context(_url(request))
        return count_all(context.database, context.catalog, context.controls)

    def _own(self, request: Request, rest: list[str]) -> Response:
        match request.method, rest:
            case "GET", ["counts"]:
                return _json(self._counts(request))
            case "GET", ["log"]:
                return _json(list(self.log))
            case "DELETE", ["log"]:
                self.log.clear()
                return Response(status=204)
            case "GET", ["faults"]:
                return _json([msgspec.to_builtins(fault) for fault in self.faults.listed()])
            case "POST", ["faults"]:
                return self._order_faults(request)
            case "DELETE", ["faults"]:
                self.faults.clear()
                return Response(status=204)
            case "POST", ["access-controls", data_source]:
                return self._define(request, data_source)
            case "POST", ["triggers"]:
                return self._trigger(request)
        return _json({"message": f"there is no {request.method} {request.path}"}, 404)

    def _order_faults(self, request: Request) -> Response:
        try:
            wanted = msgspec.json.decode(request.get_data(), type=CloudFault | list[CloudFault])
        except msgspec.DecodeError as error:
            return _json({"message": str(error)}, 400)
        for fault in wanted if isinstance(wanted, list) else [wanted]:
            self.faults.add(fault)
        return _json([msgspec.to_builtins(fault) for fault in self.faults.listed()], 201)

    def _define(self, request: Request, data_source: str) -> Response:
        try:
            wanted = msgspec.json.decode(request.get_data(), type=dict[str, Any] | list[dict[str, Any]])
            controls = self.context(_url(request)).controls
            identifiers = [
                controls.define(data_source, definition)
                for definition in (wanted if isinstance(wanted, list) else [wanted])
            ]
        except NotThere as error:
            return _json({"message": str(error)}, 404)
        except (NotValid, msgspec.DecodeError) as error:
            return _json({"message": str(error)}, 400)
        self.triggers.access_changed(self.gate.domain, data_source)
        return _json({"ids": identifiers}, 201)

    def _trigger(self, request: Request) -> Response:
        """Send the clients that wait for triggers a message, as it stands in the body."""
        try:
            message = msgspec.json.decode(request.get_data(), type=dict[str, Any])
        except msgspec.DecodeError as error:
            return _json({"message": str(error)}, 400)
        return _json({"clients": self.triggers.send(message)}, 201)

    def _fail_by(self, place: str, request: Request, path: str) -> None:
        fault = self.faults.take(place, subject=f"{path}?{request.query_string.decode()}")
        if fault is not None:
            time.sleep(fault.delay)
            _happen(fault, request)


class _Answered(Exception):
    """Carries an answer past everything that would otherwise have been done."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class _Quiet:
    """Errors are answered to the client; nothing is printed."""

    def error(self, *_: Any, **__: Any) -> None:
        pass


_LOGGER = cast("Any", _Quiet())


def _happen(fault: CloudFault, request: Request) -> None:
    if fault.drop:
        socket = request.environ.get("werkzeug.socket")
        if socket is not None:
            # Closing alone would leave it open for as long as the handler still reads from it.
            socket.shutdown(SHUT_RDWR)
            socket.close()
        raise ConnectionAbortedError("dropped by a fault")
    if fault.status is not None:
        raise _Answered(_json({"message": fault.message}, fault.status))


def _first_json_value(request: Request) -> Mapping[str, Any]:
    """The JSON object that the body begins with; what stands behind it is ignored, as the real service does."""
    if request.mimetype != "application/json":
        raise LoginRefused(415, "the Content-Type has to be application/json")
    if (request.content_length or 0) > _LARGEST_QUERY:
        raise LoginRefused(413, "the query is too long")
    try:
        value, _ = json.JSONDecoder().raw_decode(request.get_data().decode("utf-8").lstrip())
    except ValueError as error:
        raise LoginRefused(400, f"the body is not JSON: {error}") from None
    if not isinstance(value, dict) or not isinstance(value.get("query"), str):
        raise LoginRefused(400, "the body is not an object with a query")
    return value


def _root_fields(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and arguments (literals and variables) of what an operation asks for, for the log and the faults."""
    try:
        document = parsed(body["query"])
    except GraphQLError:
        return
    variables = body.get("variables") or {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            for selection in definition.selection_set.selections:
                if isinstance(selection, FieldNode):
                    yield (
                        selection.name.value,
                        {
                            argument.name.value: value
                            for argument in selection.arguments
                            # A variable that the client leaves out is no argument.
                            if (value := value_from_ast_untyped(argument.value, variables)) is not Undefined
                        },
                    )


def _plain_error(error: GraphQLError, _debug: bool = False) -> dict[str, Any]:
    return {"message": error.message, "path": error.path} if error.path else {"message": error.message}


def _json(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status=status, mimetype="application/json")


def _storage_error(error: UploadRefused) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{error.code}</Code><Message>{error}</Message></Error>'
    return Response(text, status=error.status, mimetype="application/xml")


def _url(request: Request) -> str:
    return request.host_url.rstrip("/")
