"""What stands outside: the emulated Cognito, the local Raito Cloud, and a server that answers from a script."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from raito_pipeline.config.groups import Login as LoginOptions
from raito_pipeline.config.groups import RaitoService
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.connection import Connection
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .small_target import Target, make_target

USER, SECRET, DOMAIN = "sync@example.com", "Corr3ct-horse!", "sandbox"
COGNITO_VARIABLE = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"


@dataclass(frozen=True)
class Login:
    """The emulated Cognito with one user."""

    endpoint: str
    client_id: str


@pytest.fixture(scope="module")
def cognito() -> Iterator[Login]:
    """For one module: the emulated AWS of a process is one, and whoever starts it next empties it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    yield Login(endpoint, _make_user(endpoint))
    server.stop()


def _make_user(endpoint: str) -> str:
    idp = boto3.client(
        "cognito-idp",
        region_name="eu-central-1",
        endpoint_url=endpoint,
        aws_access_key_id="AKIAEXAMPLEEXAMPLE00",
        aws_secret_access_key="x",
    )
    pool = idp.create_user_pool(PoolName="raito")["UserPool"]["Id"]
    flows: Any = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = idp.create_user_pool_client(UserPoolId=pool, ClientName="cli", ExplicitAuthFlows=flows)
    idp.admin_create_user(UserPoolId=pool, Username=USER, MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=pool, Username=USER, Password=SECRET, Permanent=True)
    return made["UserPoolClient"]["ClientId"]


@pytest.fixture(autouse=True)
def _no_aws_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the developer's own AWS set-up reaches a test."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", COGNITO_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))


@pytest.fixture
def cloud(cognito: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalRaitoCloud]:
    monkeypatch.setenv(COGNITO_VARIABLE, cognito.endpoint)
    state = tmp_path / "cloud"
    state.mkdir()
    with LocalRaitoCloud(state / "raito.db", state / "files", cognito.endpoint, cognito.client_id, DOMAIN) as running:
        yield running


def connection_to(
    url: str, *, timeout: float = 10.0, retry_delay: float = 0.01, attempts: int = 4, **options: Any
) -> Connection:
    """A connection to `url` as the test's user; `options` replace or add options of the service and the login."""
    values: dict[str, Any] = {
        "raito_url_override": url,
        "domain": DOMAIN,
        "api_user": USER,
        "api_secret": SecretStr(SECRET),
        **options,
    }
    service = RaitoService(**{name: value for name, value in values.items() if name in RaitoService.model_fields})
    login = LoginOptions(**{name: value for name, value in values.items() if name in LoginOptions.model_fields})
    return Connection(service, login, timeout=timeout, retry_delay=retry_delay, attempts=attempts)


@pytest.fixture
def client(cloud: LocalRaitoCloud) -> Iterator[RaitoClient]:
    with RaitoClient(connection_to(cloud.url)) as made:
        yield made


@pytest.fixture
def target(client: RaitoClient) -> Target:
    """A data source with its identity store in the local Raito Cloud."""
    return make_target(client)


@dataclass(frozen=True)
class Answer:
    """One scripted answer; `drop` closes the connection instead."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


@dataclass(frozen=True)
class Seen:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedServer:
    """Answers each (method, path) from its list; the last answer of a list repeats. `first` is known from the start."""

    def __init__(self, port: int = 0, first: Mapping[tuple[str, str], Answer] | None = None) -> None:
        self.seen: list[Seen] = []
        self._answers: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        self._answers.update({asked: [answer] for asked, answer in (first or {}).items()})
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self._answers[method, path] = list(answers)

    def requests(self, method: str, path: str) -> list[Seen]:
        return [seen for seen in self.seen if (seen.method, seen.path.split("?")[0]) == (method, path)]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(self, seen: Seen) -> Answer:
        with self._lock:
            self.seen.append(seen)
            answers = self._answers[seen.method, seen.path.split("?")[0]]
            if not answers:
                return Answer({"message": f"nothing scripted for {seen.method} {seen.path}"}, 404)
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body in one piece; in two, the second one waits 40 ms for the client's acknowledgement.
            wbufsize = -1
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = script._take(Seen(self.command, self.path, dict(self.headers), body))
                if answer.drop:
                    self.close_connection = True
                    self.connection.close()
                    return
                content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = _serve  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        return Handler


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.stop()


def token(number: int, seconds: float = 3600, refresh: str | None = None) -> Answer:
    """Cognito's answer to a login."""
    result: dict[str, Any] = {"IdToken": f"id-token-{number}", "AccessToken": "a", "ExpiresIn": seconds}
    if refresh:
        result["RefreshToken"] = refresh
    return Answer({"AuthenticationResult": result})


@pytest.fixture
def scripted_login(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """The scripted server as Raito Cloud and as Cognito, with a login that works."""
    monkeypatch.setenv(COGNITO_VARIABLE, scripted.url)
    scripted.on("GET", f"/admin/org/{DOMAIN}", Answer({"authOrgId": "o", "ClientAppID": "client-1"}))
    scripted.on("POST", "/", token(1))
    return scripted
